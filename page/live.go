package page

import (
	"html/template"
	"net/http"
	"net/url"

	"tracelab/lab"
)

func (s *Server) routesOfLive(mux *http.ServeMux) {
	mux.HandleFunc("GET /live", s.withLab(func(w http.ResponseWriter, r *http.Request, l *lab.Live) {
		s.render(w, r, http.StatusOK, "live.html", "Live", l.Snapshot())
	}))
}

func (s *Server) liveFragments(_ *lab.Live, snapshot lab.Snapshot, _ *url.URL) map[string]template.HTML {
	return map[string]template.HTML{"states": s.fragment("live.html", "states", snapshot.Forms)}
}
