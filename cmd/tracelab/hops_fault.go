package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/report"
	"tracelab/services/faults"
)

// goOn follows the unit past the hops at which its context broke: its spans say of which unit they are, whatever their trace.
func (v *hopsView) goOn(first *journey.Journey) (fresh []string) {
	set := first.Set()
	var others []*journey.Journey
	for _, j := range set.Journeys() {
		if firstSpan(j) != firstSpan(first) {
			others = append(others, j)
			v.report.Traces = append(v.report.Traces, tracesOf(j)...)
		}
	}
	received := map[journey.Index]bool{}
	for _, j := range append([]*journey.Journey{first}, others...) {
		for _, hop := range report.HeadersOf(j) {
			if sends(set.Span(hop.From)) && hop.To < 0 {
				v.explain(first, hop, others, received)
			}
		}
	}
	for _, j := range others {
		for _, hop := range report.HeadersOf(j) {
			key := hopKey(j, hop)
			if _, known := v.hops[key]; known || received[hop.From] {
				continue
			}
			v.hops[key], v.texts[key] = lineOf(j, hop), hop
			v.hops[key] = v.hops[key].from(first, set.Span(hop.From))
			fresh = append(fresh, key)
		}
	}
	return fresh
}

// explain says which fault broke the context at a hop, and who received it in a trace of its own.
func (v *hopsView) explain(first *journey.Journey, hop report.HopHeaders, others []*journey.Journey, received map[journey.Index]bool) {
	set, key := first.Set(), hopKey(first, hop)
	line, known := v.hops[key]
	if !known {
		line = lineOf(first, hop)
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
		root := firstSpan(j)
		to := set.Span(root)
		theirs := hopLine{}
		theirs.carriedBy([]*journey.Span{to})
		if !received[root] && !sends(to) && theirs.By == line.By && theirs.Topic == line.Topic && theirs.Offset == line.Offset && to.Start >= set.Span(hop.From).Start {
			received[root] = true
			end := endOf(to)
			line.To, line.Read = &end, headersOf(to)
			note += fmt.Sprintf(": it goes on in trace %s", end.TraceID)
			break
		}
	}
	line.Notes = []string{note}
	v.hops[key], v.texts[key] = line, hop
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

// firstSpan is the root of a journey, or of one that begins with a message its earliest span.
func firstSpan(j *journey.Journey) journey.Index {
	if root, ok := j.Root(); ok {
		return root
	}
	set := j.Set()
	return slices.MinFunc(j.Spans(), func(a, b journey.Index) int { return cmp.Compare(set.Span(a).Start, set.Span(b).Start) })
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
