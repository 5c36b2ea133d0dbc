package page

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"tracelab/internal/vocabulary"
	"tracelab/lab"
	"tracelab/lab/links"
	"tracelab/services"
	"tracelab/services/faults"
)

// mostFaults bounds the faults that are on at the same time: they travel with every unit.
const mostFaults = 16

// longestText bounds one fault or link as it is typed.
const longestText = 300

// conditions changes what units meet.
func (s *Server) conditions(w http.ResponseWriter, r *http.Request, l *lab.Live) {
	s.changing.Lock()
	next := l.Conditions()
	say, err := change(l, &next, r)
	if err == nil {
		err = l.SetConditions(next)
	}
	s.changing.Unlock()
	do := r.PostForm.Get("do")
	if err == nil {
		parts := s.parts(l, s.sectionOf("/weather"), nil)
		for _, id := range []string{"fault", "fault-text", "link", "link-text"} {
			parts[id+"-wrong"] = ""
		}
		s.done(w, r, "/weather", answer{Say: say, Parts: parts})
		return
	}
	why := helpful(err).Error()
	v := weatherPage(l, l.Snapshot())
	beside := map[string]*string{"fault": &v.Wrong.Fault, "fault-text": &v.Wrong.FaultText, "link": &v.Wrong.Link, "link-text": &v.Wrong.LinkText}[do]
	switch {
	case beside == nil:
		s.refuse(w, r, http.StatusUnprocessableEntity, errors.New(why))
	case wantsJSON(r):
		s.answerJSON(w, http.StatusUnprocessableEntity, answer{Say: why, Wrong: true, Parts: map[string]template.HTML{do + "-wrong": s.fragment("weather.html", "wrong", why)}})
	default:
		*beside = why
		v.keep(r)
		s.render(w, r, http.StatusUnprocessableEntity, "weather.html", "Weather", v)
	}
}

// keep keeps what was typed.
func (v *weatherView) keep(r *http.Request) {
	for name, typed := range map[string]*string{
		"service": &v.Typed.Service, "kind": &v.Typed.Kind, "value": &v.Typed.Value, "share": &v.Typed.Share, "fault": &v.Typed.Fault,
		"from": &v.Typed.From, "to": &v.Typed.To, "link-kind": &v.Typed.LinkKind, "link-value": &v.Typed.LinkValue, "link": &v.Typed.Link,
	} {
		if r.PostForm.Has(name) {
			*typed = r.PostForm.Get(name)
		}
	}
}

// change makes one change of conditions, and says which.
func change(l *lab.Live, c *lab.Conditions, r *http.Request) (say string, err error) {
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	switch do := get("do"); do {
	case "fault":
		return addFault(l, c, faultText(get("service"), get("kind"), get("value"), get("share")))
	case "fault-text":
		return addFault(l, c, get("fault"))
	case "fault-off":
		c.Faults = slices.DeleteFunc(c.Faults, func(f faults.Fault) bool { return f.String() == get("fault") })
		return get("fault") + " is off.", nil
	case "faults-off":
		c.Faults = nil
		return "All faults are off.", nil
	case "link":
		return addLink(l, c, get("from")+">"+get("to")+":"+kindText(get("link-kind"), get("link-value")))
	case "link-text":
		return addLink(l, c, get("link"))
	case "link-off":
		c.Links = slices.DeleteFunc(c.Links, func(k links.Link) bool { return k.String() == get("link") })
		return get("link") + " is off.", nil
	case "links-off":
		c.Links = nil
		return "All links are as they were.", nil
	case "relation":
		c.Relation, err = services.ParseRelation(get("relation"))
		return "Consumers' spans refer to producers' by: " + c.Relation.String() + ".", err
	default:
		return "", &vocabulary.UnknownError{What: "change", Word: do, Known: []string{"fault", "fault-off", "faults-off", "link", "link-off", "links-off", "relation"}}
	}
}

// faultText writes a fault as a command line has it.
func faultText(service, kind, value, share string) string {
	text := service + ":" + kindText(kind, value)
	if share != "" && share != "1" {
		text += "@" + share
	}
	return text
}

func kindText(kind, value string) string {
	if value == "" {
		return kind
	}
	return kind + "=" + value
}

func addFault(l *lab.Live, c *lab.Conditions, text string) (say string, err error) {
	if len(text) > longestText {
		return "", fmt.Errorf("the fault is %d bytes long: use up to %d", len(text), longestText)
	}
	for _, one := range services.SplitFaults([]string{text}) {
		fault, err := services.ParseFault(l.Flow(), one)
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(c.Faults, func(have faults.Fault) bool { return have.String() == fault.String() }) {
			return "", fmt.Errorf("fault %s is on already", fault)
		}
		c.Faults = append(c.Faults, fault)
	}
	if len(c.Faults) > mostFaults {
		return "", fmt.Errorf("%d faults: use up to %d at a time", len(c.Faults), mostFaults)
	}
	return text + " is on: " + vocabulary.Plural(l.Flow().Unit) + " that are placed from now on meet it.", nil
}

func addLink(l *lab.Live, c *lab.Conditions, text string) (say string, err error) {
	if len(text) > longestText {
		return "", fmt.Errorf("the link is %d bytes long: use up to %d", len(text), longestText)
	}
	for _, one := range lab.SplitLinks([]string{text}) {
		link, err := lab.ParseLink(l.Flow(), one)
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(c.Links, func(have links.Link) bool { return have.String() == link.String() }) {
			return "", fmt.Errorf("link %s is on already", link)
		}
		c.Links = append(c.Links, link)
	}
	return text + " is on.", nil
}
