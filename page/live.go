package page

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"tracelab/journey/compare"
	"tracelab/lab"
	"tracelab/services"
)

func (s *Server) routesOfLive(mux *http.ServeMux) {
	mux.HandleFunc("GET /live", s.withLab(func(w http.ResponseWriter, r *http.Request, l *lab.Live) {
		s.render(w, r, http.StatusOK, "live.html", "Live", livePage(l, l.Snapshot()))
	}))
}

// liveView is the page of what goes on.
type liveView struct {
	Unit    string
	Nothing bool // nothing was placed yet
	Stream  lab.Stream
	Charts  []chartView
	Forms   []liveFormView
	AtRest  bool
	Wrong   []string // sums that do not hold; "" while units are under way
	Lag     []lab.GroupLag
	Queues  []lab.QueueDepth
	Unheard []string
	Dead    []lab.DeadLetters
	Parts   []lab.Part
	Kept    int
	LeftOut int
}

// liveFormView is a form's row in the tables.
type liveFormView struct {
	lab.LiveForm
	Dash       string
	Wait, Done figureView
}

// figureView is a measure of the last 30 s in words.
type figureView struct {
	N                int
	Median, P95, P99 string
}

func figureOf(s compare.Summary) figureView {
	return figureView{s.N, textOr(s.Median), textOr(s.P95), textOr(s.P99)}
}

// textOr is a figure in words, or a dash for one that so few values do not have.
func textOr(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return msText(ms)
}

func livePage(l *lab.Live, snapshot lab.Snapshot) liveView {
	v := liveView{
		Unit: l.Flow().Unit, Nothing: true, Stream: snapshot.Stream, AtRest: snapshot.AtRest, Lag: snapshot.Lag, Queues: snapshot.Queues, Unheard: snapshot.Unheard, Parts: snapshot.Parts,
		Kept: snapshot.Kept, LeftOut: snapshot.LeftOut,
		Charts: []chartView{
			chartOf("Caller wait", snapshot.Forms, snapshot.At, func(p lab.LivePoint) *float64 { return p.CallerWait }),
			chartOf("Completion", snapshot.Forms, snapshot.At, func(p lab.LivePoint) *float64 { return p.Completion }),
		},
	}
	for i, f := range snapshot.Forms {
		v.Nothing = v.Nothing && f.Accounts.Placed == 0
		v.Forms = append(v.Forms, liveFormView{f, dashOf(i), figureOf(f.CallerWait), figureOf(f.Completion)})
		if snapshot.AtRest {
			v.Wrong = append(v.Wrong, imbalances(f.Form, f.Accounts)...)
		}
	}
	for _, dead := range snapshot.Dead {
		if dead.Records > 0 {
			v.Dead = append(v.Dead, dead)
		}
	}
	return v
}

// imbalances says which sums of a form do not hold.
func imbalances(form services.Form, a lab.Accounts) []string {
	var list []string
	for _, wrong := range a.Imbalances() {
		list = append(list, fmt.Sprintf("%s: %s", form, wrong))
	}
	return list
}

func (s *Server) liveFragments(l *lab.Live, snapshot lab.Snapshot, _ *url.URL) map[string]template.HTML {
	v := livePage(l, snapshot)
	parts := map[string]template.HTML{}
	for _, id := range []string{"begin", "charts", "figures", "states", "effects", "lag", "dead", "state-of-parts"} {
		parts[id] = s.fragment("live.html", id, v)
	}
	return parts
}
