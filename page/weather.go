package page

import (
	"html/template"
	"net/http"
	"net/url"

	"tracelab/lab"
)

func (s *Server) routesOfWeather(mux *http.ServeMux) {
	mux.HandleFunc("GET /weather", s.withLab(func(w http.ResponseWriter, r *http.Request, l *lab.Live) {
		s.render(w, r, http.StatusOK, "weather.html", "Weather", l.Snapshot())
	}))
}

func (s *Server) weatherFragments(_ *lab.Live, snapshot lab.Snapshot, _ *url.URL) map[string]template.HTML {
	return map[string]template.HTML{"parts": s.fragment("weather.html", "parts", snapshot.Parts)}
}
