package doctor

import (
	"context"
	"slices"

	"tracelab/journey"
)

// withBatches adds to the spans of an order's trace those of the batches that its messages were handled in. A batch has a trace of its own, whose
// spans link to the messages; what a message of a batch leads to is in there, too.
func (p *parts) withBatches(ctx context.Context, o *placed, expected []expectation, spans []journey.Span) ([]journey.Span, error) {
	known := map[journey.TraceID]bool{o.trace: true}
	for _, x := range expected {
		if !x.batch || x.has(spans) {
			continue
		}
		found, err := p.search(ctx, o, x)
		if err != nil {
			return nil, err
		}
		for trace, of := range byTrace(found) {
			if !known[trace] && slices.ContainsFunc(of, func(s journey.Span) bool {
				return slices.ContainsFunc(s.Links, func(l journey.Link) bool { return known[l.Trace] })
			}) {
				known[trace] = true
				spans = append(spans, of...)
			}
		}
	}
	return spans, nil
}

func byTrace(spans []journey.Span) map[journey.TraceID][]journey.Span {
	traces := map[journey.TraceID][]journey.Span{}
	for _, s := range spans {
		traces[s.Trace] = append(traces[s.Trace], s)
	}
	return traces
}
