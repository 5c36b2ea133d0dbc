package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/services"
)

// medianOrder is the order whose completion is the form's median (the lower of two), with its journey and the path that
// is drawn.
type medianOrder struct {
	order   order
	journey *journey.Journey
	path    []journey.Segment // the completion path
}

// beside lists the steps that ran in parallel to the path, and are on no path.
func (m *medianOrder) beside() []journey.Segment {
	set := m.journey.Set()
	on := map[string]bool{}
	for _, s := range m.path {
		if !s.Wait {
			on[set.Span(s.Span).Name] = true
		}
	}
	var steps []journey.Segment
	for _, i := range m.journey.Spans() {
		span := set.Span(i)
		if _, ok := span.Attr(services.KeyStep); !ok || on[span.Name] {
			continue
		}
		start, end := set.Times(i)
		steps = append(steps, journey.Segment{Span: i, Start: time.Duration(start - m.journey.Start()), End: time.Duration(end - m.journey.Start())})
	}
	return steps
}

// domino says how long each service's call was open, where calls nest: a wait in the last one holds all of them.
func (m *medianOrder) domino(b *strings.Builder) {
	set := m.journey.Set()
	type open struct {
		service string
		start   int64
		length  time.Duration
	}
	var calls []open
	for _, i := range m.journey.Spans() {
		if span := set.Span(i); span.Kind == journey.KindServer {
			start, end := set.Times(i)
			calls = append(calls, open{span.Service, start, time.Duration(end - start)})
		}
	}
	slices.SortStableFunc(calls, func(a, b open) int { return int(b.length - a.length) })
	var texts []string
	for _, c := range calls {
		texts = append(texts, c.service+" "+format.Duration(c.length))
	}
	if len(texts) > 1 {
		fmt.Fprintf(b, "domino: each call stays open while the next one works: %s\n", strings.Join(texts, " > "))
	}
}
