package main

import (
	"fmt"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/report"
	"tracelab/services/faults"
)

// goOn follows the unit past the hops at which its context broke: its spans say of which unit they are, whatever their trace.
func (v *hopsView) goOn(first *journey.Journey) (fresh []string) {
	others := report.Behind(first)
	for _, j := range others {
		for _, trace := range tracesOf(j) {
			if !slices.Contains(v.report.Traces, trace) {
				v.report.Traces = append(v.report.Traces, trace)
			}
		}
	}
	received := map[journey.SpanID]bool{}
	for _, j := range append([]*journey.Journey{first}, others...) {
		for _, hop := range report.HeadersOf(j) {
			if sends(j.Set().Span(hop.From)) && hop.To < 0 {
				v.explain(first, j, hop, others, received)
			}
		}
	}
	for _, j := range others {
		for _, hop := range report.HeadersOf(j) {
			key, sender := hopKey(j, hop), j.Set().Span(hop.From)
			if _, known := v.hops[key]; known || received[sender.ID] {
				continue
			}
			v.hops[key], v.texts[key] = lineOf(j, hop), hop
			v.hops[key] = v.hops[key].from(first, sender)
			fresh = append(fresh, key)
		}
	}
	return fresh
}

// explain says which fault broke the context at a hop of a journey, and who received it apart from that. It counts time from the first journey on.
func (v *hopsView) explain(first, of *journey.Journey, hop report.HopHeaders, others []*journey.Journey, received map[journey.SpanID]bool) {
	key, sender := hopKey(of, hop), of.Set().Span(hop.From)
	line, known := v.hops[key]
	if !known {
		line = lineOf(of, hop).from(first, sender)
	}
	note := ""
	for _, f := range v.faults {
		if note = whatBroke(f, line); note != "" {
			break
		}
	}
	if note == "" {
		return
	}
	for _, j := range others {
		to := j.Set().Span(report.FirstSpan(j))
		if !received[to.ID] && line.reaches(to) && to.Start >= sender.Start {
			received[to.ID] = true
			end := endOf(to)
			line.To, line.Read = &end, headersOf(to)
			if note += ": it goes on in trace " + end.TraceID; end.TraceID == line.From.TraceID {
				note += ", below that parent"
			}
			break
		}
	}
	line.Notes = []string{note}
	v.hops[key], v.texts[key] = line, hop
}

// reaches tells whether a span may be the receiver of a hop that lost its context: it is of the same message, or of a call by the same name, and has read
// the traceparent that was written. Calls side by side differ in that only.
func (l hopLine) reaches(to *journey.Span) bool {
	theirs := hopLine{}
	theirs.carriedBy([]*journey.Span{to})
	return !sends(to) && theirs.By == l.By && theirs.Topic == l.Topic && theirs.Offset == l.Offset && (l.Topic != "" || to.Name == l.From.Span) &&
		strings.Join(l.Wrote["traceparent"], ",") == strings.Join(headersOf(to)["traceparent"], ",")
}

// whatBroke says how a fault shows in what the sender of a hop wrote, or "" when it does not.
func whatBroke(f faults.Fault, hop hopLine) string {
	if f.Service != hop.From.Service {
		return ""
	}
	traceparent := hop.Wrote["traceparent"]
	says := ""
	switch {
	case f.Kind == faults.DropContext && len(traceparent) == 0:
		says = "took the trace context away"
	case f.Kind == faults.DropBaggage && len(hop.Wrote["baggage"]) == 0:
		says = "took the baggage away, and the spans behind it do not say whose they are: the chain cannot be followed"
	case f.Kind == faults.DoubleTraceparent && len(traceparent) > 1:
		says = "named a second parent, which does not exist"
	case f.Kind == faults.Unsample && slices.ContainsFunc(traceparent, func(value string) bool { return strings.HasSuffix(value, "-00") }):
		says = "said that the trace is not sampled: nobody behind it makes spans"
	default:
		return ""
	}
	return fmt.Sprintf("the fault %s %s", f, says)
}

// sends tells whether a span is the sender's side of a hop.
func sends(span *journey.Span) bool {
	return span.Kind == journey.KindClient || span.Kind == journey.KindProducer
}

// from is the line with its time counted from the client's span on.
func (l hopLine) from(first *journey.Journey, sender *journey.Span) hopLine {
	l.At = inMilliseconds(sender.Start - first.Start())
	return l
}

func tracesOf(j *journey.Journey) []string {
	var list []string
	for _, id := range j.Traces() {
		list = append(list, id.String())
	}
	return list
}
