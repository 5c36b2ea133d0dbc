package page

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tracelab/lab"
	"tracelab/services"
)

func (s *Server) routesOfWeather(mux *http.ServeMux) {
	mux.HandleFunc("GET /weather", s.withLab(func(w http.ResponseWriter, r *http.Request, l *lab.Live) {
		s.render(w, r, http.StatusOK, "weather.html", "Weather", weatherPage(l, l.Snapshot()))
	}))
	mux.HandleFunc("POST /conditions", s.withLab(s.conditions))
	mux.HandleFunc("POST /parts/{part}/{do}", s.withLab(s.part))
}

// weatherView is the page for what units meet.
type weatherView struct {
	Unit      string
	Parts     []lab.Part
	Faults    []string // that are on, as they are written
	Links     []string
	Fired     []lab.FiredCount
	Relation  services.Relation
	Relations []services.Relation

	Services      []string
	From, To      []string // parts that open and take connections
	Kinds, LinkIs []kindView
	Typed         typedWeather
	Elsewhere     bool // the services run elsewhere: no part of them can be stopped
	Wrong         wrongWeather
}

// kindView is a kind of fault or link: how it is written, and what it does.
type kindView struct{ Name, Form, Does string }

// typedWeather is what was typed last, kept when something is wrong with it.
type typedWeather struct{ Service, Kind, Value, Share, From, To, LinkKind, LinkValue, Fault, Link string }

// wrongWeather says what is wrong, beside the form that it was typed into.
type wrongWeather struct{ Fault, FaultText, Link, LinkText string }

func weatherPage(l *lab.Live, snapshot lab.Snapshot) weatherView {
	flow := l.Flow()
	v := weatherView{
		Unit: flow.Unit, Parts: snapshot.Parts, Fired: snapshot.Fired, Relation: snapshot.Conditions.Relation, Relations: services.Relations(),
		Services: flow.Services(), Kinds: kindsOf(services.FaultKinds()), LinkIs: linkKinds(), Elsewhere: len(snapshot.Parts) == 0,
	}
	v.From = append([]string{"client"}, v.Services...)
	v.To = append(slices.Clone(v.Services), "kafka")
	for _, fault := range snapshot.Conditions.Faults {
		v.Faults = append(v.Faults, fault.String())
	}
	for _, link := range snapshot.Conditions.Links {
		v.Links = append(v.Links, link.String())
	}
	slow := v.Services[len(v.Services)/2] // behind the entry, and before the end
	v.Typed = typedWeather{Service: slow, Kind: "delay", Value: "200ms", Share: "1", From: v.Services[min(1, len(v.Services)-1)], To: slow, LinkKind: "latency", LinkValue: "40ms"}
	return v
}

// kindsOf reads usages such as "delay=DURATION: the step waits that long".
func kindsOf(usages []string) []kindView {
	var list []kindView
	for _, usage := range usages {
		form, does, _ := strings.Cut(usage, ": ")
		name, _, _ := strings.Cut(strings.TrimSuffix(strings.Replace(form, "[=", "=", 1), "]"), "=")
		list = append(list, kindView{name, form, does})
	}
	return list
}

// linkKinds are the kinds of links that stand alone; times are for those who write.
func linkKinds() []kindView {
	var list []kindView
	for _, usage := range lab.LinkKinds() {
		form, does, _ := strings.Cut(strings.TrimSuffix(usage, ")"), " (")
		name, _, _ := strings.Cut(form, "=")
		if name == "from" {
			continue
		}
		list = append(list, kindView{name, form, does})
	}
	return list
}

func (s *Server) weatherFragments(l *lab.Live, snapshot lab.Snapshot, _ *url.URL) map[string]template.HTML {
	v := weatherPage(l, snapshot)
	parts := map[string]template.HTML{}
	for _, id := range []string{"parts", "faults-now", "links-now", "relation-now", "fired"} {
		parts[id] = s.fragment("weather.html", id, v)
	}
	return parts
}

// part stops, kills, pauses or starts a part.
func (s *Server) part(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	e := lab.Event{Do: r.PathValue("do"), Part: r.PathValue("part")}
	if _, err := lab.ParseEvent(l.Flow(), "0s:"+e.Do+":"+e.Part); err != nil {
		s.refuse(w, r, http.StatusUnprocessableEntity, helpful(err))
		return
	}
	if err := l.Do(r.Context(), e); err != nil {
		s.refuse(w, r, http.StatusUnprocessableEntity, helpful(err))
		return
	}
	did := map[string]string{"stop": "stopped", "kill": "killed", "pause": "paused", "start": "running"}[e.Do]
	s.done(w, r, "/weather#parts", answer{Say: fmt.Sprintf("%s is %s.", e.Part, did), Parts: s.parts(l, s.sectionOf("/weather"), nil)})
}
