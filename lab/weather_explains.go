package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/services"
	"tracelab/services/faults"
)

// aftermath is how long after a part is back its absence may still be felt: clients connect again within a second.
const aftermath = 2 * time.Second

// outage is a time in which a part was away because an event said so.
type outage struct {
	event    string
	part     string
	do       string    // stop, kill or pause; "": of a link
	from, to time.Time // to is the zero time when it did not come back
}

// outages lists when parts were away.
func outages(happened []Happened) []outage {
	var list []outage
	for _, h := range happened {
		if h.event.Do != "start" {
			if h.Error == "" {
				list = append(list, outage{event: "event " + h.Event, part: h.event.Part, do: h.event.Do, from: h.begun})
			}
			continue
		}
		for i := range list {
			if (list[i].part == h.event.Part || strings.HasPrefix(list[i].part, h.event.Part+"/")) && list[i].to.IsZero() && h.connected {
				list[i].to = h.ended.Add(aftermath)
			}
		}
	}
	return list
}

// disturbances lists when links were disturbed.
func (r *running) disturbances() []outage {
	var list []outage
	for _, l := range r.Links {
		o := outage{event: "link " + l.String(), from: r.began.Add(l.Begin)}
		if l.End > 0 {
			o.to = r.began.Add(l.End + aftermath)
		}
		list = append(list, o)
	}
	return list
}

// findCrashes lists when services were away because of faults that made them crash. Times that meet are one.
func (r *running) findCrashes() {
	if r.env.system == nil {
		return
	}
	newest := map[string]int{} // in the list, by service
	for _, c := range r.env.system.Crashed() {
		o := outage{event: r.crashFault(c.Service), part: c.Service, do: "kill", from: c.From}
		if !c.To.IsZero() {
			o.to = c.To.Add(aftermath)
		}
		if i, ok := newest[c.Service]; ok && (r.crashes[i].to.IsZero() || !o.from.After(r.crashes[i].to)) {
			r.crashes[i].to = o.to
			continue
		}
		newest[c.Service] = len(r.crashes)
		r.crashes = append(r.crashes, o)
	}
}

// explains returns the event that explains why an order that was under way between two times did not fare as it should, or "".
func (r *running) explains(from, to time.Time) string {
	for _, o := range slices.Concat(outages(r.happened), r.disturbances(), r.crashes) {
		if !to.Before(o.from) && (o.to.IsZero() || from.Before(o.to)) {
			return o.event
		}
	}
	return ""
}

// explainsAnswer returns the event or the crash that explains a missing answer, or "". When a service elsewhere crashed is not known.
func (r *running) explainsAnswer(o *record) string {
	if event := r.explains(o.Intended, o.Intended.Add(time.Duration(o.Response))); event != "" || r.env.system != nil {
		return event
	}
	return r.crashFault("")
}

// explainsEnd returns what explains why an order is not final, or its journey not complete, or "".
func (r *running) explainsEnd(o *record) string {
	if event := r.explains(o.Intended, time.Now()); event != "" {
		return event
	}
	if f := r.crashFault(""); f != "" && o.status != services.Accepted { // spans of the service are lost, never an order
		return f
	}
	return r.contextFault(o)
}

// crashFault names a fault that makes a service crash, "" for any, or returns "".
func (r *running) crashFault(service string) string {
	for _, f := range r.Faults {
		if f.Kind == faults.Crash && (service == "" || f.Service == service) {
			return "fault " + f.String()
		}
	}
	return ""
}

// ended tells of an event that ended a part, "" for any, or "".
func (r *running) ended(part string) string {
	if f := r.crashFault(part); f != "" {
		return f
	}
	for _, h := range r.happened {
		if (h.event.Do == "kill" || h.event.Do == "stop") && h.Error == "" && (part == "" || h.event.service() == part) {
			return "event " + h.Event
		}
	}
	return ""
}

// explainedAnswers counts the orders of a form without a 2xx answer that an event explains, and the events.
func (r *running) explainedAnswers(form services.Form) string {
	byEvent := map[string]int{}
	for _, o := range r.judge.records[form] {
		if o == nil || !o.placed || o.Answered() || len(r.hits(o.key)) > 0 {
			continue
		}
		if event := r.explainsAnswer(o); event != "" {
			byEvent[event]++
		}
	}
	if len(byEvent) == 0 {
		return ""
	}
	n := 0
	for _, count := range byEvent {
		n += count
	}
	return fmt.Sprintf("%s no 2xx answer: %s", unitOf(r.Flow).count(n, "has", "have"), mostFrequent(byEvent, 5))
}
