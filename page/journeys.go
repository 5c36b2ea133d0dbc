package page

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"tracelab/lab"
	"tracelab/services"
)

// Limits of the list of journeys.
const (
	foldedJourneys = 50
	mostJourneys   = 500
)

// routesOfJourneys registers the pages of journeys.
func (s *Server) routesOfJourneys(mux *http.ServeMux) {
	mux.HandleFunc("GET /journeys", s.withLab(s.listJourneys))
	mux.HandleFunc("GET /journeys/{form}/{number}", s.withLab(s.showJourney))
	mux.HandleFunc("GET /journeys/{form}/{number}/otlp.json", s.withLab(s.giveJourney))
}

// journeysView is the list of the recent journeys.
type journeysView struct {
	Unit          string
	Lines         []journeyLine
	Forms, States []choice // filters
	Folded        int      // journeys that the filter finds and that have no line
	More          string   // address with more lines, or ""
	Kept, LeftOut int
	Filtered      bool
}

// journeyLine is a line of it.
type journeyLine struct {
	Form, Color, Href, State, Wait, Completion, Why, Placed string
	Number, Spans, Traces                                   int
}

func (s *Server) listJourneys(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	if err := checkListQuery(l, r.URL.Query()); err != nil {
		s.refuseQuery(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "journeys.html", "Journeys", newJourneysView(l, r.URL.Query()))
}

func newJourneysView(l *lab.Live, v url.Values) journeysView {
	lines, leftOut := l.Recent()
	return journeysOf(lines, leftOut, l, v)
}

// journeysOf makes the list of what a URL asks for: ?form=, ?state= and ?rows=all.
func journeysOf(lines []lab.JourneyLine, leftOut int, l *lab.Live, v url.Values) journeysView {
	form, state := v.Get("form"), v.Get("state")
	view := journeysView{Unit: l.Flow().Unit, Kept: len(lines), LeftOut: leftOut, Filtered: form != "" || state != ""}
	for _, f := range l.Forms() {
		view.Forms = append(view.Forms, filterChoice(v, "form", string(f)))
	}
	var states []string
	for _, line := range lines {
		if !slices.Contains(states, line.State) {
			states = append(states, line.State)
		}
	}
	slices.Sort(states)
	for _, word := range states {
		view.States = append(view.States, filterChoice(v, "state", word))
	}
	most := foldedJourneys
	if v.Get("rows") == "all" {
		most = mostJourneys
	}
	for _, line := range lines {
		if form != "" && string(line.Key.Form) != form || state != "" && line.State != state {
			continue
		}
		if len(view.Lines) == most {
			view.Folded++
			continue
		}
		view.Lines = append(view.Lines, newJourneyLine(line))
	}
	if view.Folded > 0 && most < mostJourneys {
		view.More = withValue(v, "rows", "all")
	}
	return view
}

// filterChoice is the link of one value of a filter; that of the current one takes it away.
func filterChoice(v url.Values, key, value string) choice {
	c := choice{Name: value, Current: v.Get(key) == value, Href: withValue(v, key, value)}
	if c.Current {
		c.Href = withValue(v, key, "")
	}
	if key == "form" {
		c.Color = formColor(services.Form(value))
	}
	return c
}

// withValue is the address of the list with another value of one key; "" takes the key away. Other keys than those of the list are left out.
func withValue(v url.Values, key, value string) string {
	next := url.Values{}
	for _, k := range []string{"form", "state", "rows"} {
		if is := v.Get(k); is != "" && k != key && len(is) <= nameLimit {
			next.Set(k, is)
		}
	}
	if value != "" {
		next.Set(key, value)
	}
	return "/journeys?" + next.Encode()
}

func newJourneyLine(line lab.JourneyLine) journeyLine {
	form := string(line.Key.Form)
	return journeyLine{
		Form: form, Color: formColor(services.Form(form)), Number: line.Key.Number, Href: journeyPath(line.Key), State: line.State, Wait: msText(line.WaitMS), Completion: msText(line.CompletionMS),
		Why: clip(cmp.Or(line.Failure, line.Error, line.Incomplete), 2*nameLimit), Placed: line.Placed.Format("15:04:05"), Spans: line.Spans, Traces: line.Traces,
	}
}

// journeysFragments are the live parts of the list, or of the page of one journey.
func (s *Server) journeysFragments(l *lab.Live, _ lab.Snapshot, at *url.URL) map[string]template.HTML {
	if at.Path == "/journeys" {
		return map[string]template.HTML{"journeys": s.fragment("journeys.html", "journeys", newJourneysView(l, at.Query()))}
	}
	return s.journeyFragments(l, at)
}

// goneWords says why a journey is not kept.
func goneWords(unit string, kept, leftOut int) string {
	if leftOut == 0 {
		return "There is no " + unit + " of this number in this form: place one, or choose one of the list."
	}
	return fmt.Sprintf("There is no %s of this number in this form, or it is no longer kept: the newest %d are, and %d older ones have made room.", unit, kept, leftOut)
}
