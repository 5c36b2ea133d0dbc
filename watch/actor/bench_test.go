package actor_test

import (
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/watch/actor"
	"tracelab/watch/record"
)

// BenchmarkPartition judges small journeys over two traces, from the records of their spans to the verdicts.
func BenchmarkPartition(b *testing.B) {
	const spansOf = 10
	p, handled := actor.New(actor.Config{}), 0
	now := time.Duration(0)
	for k := 0; b.Loop(); k++ {
		for _, s := range order(k, spansOf) {
			p.Handle(record.Record{Kind: record.Span, To: s.Trace, Spans: [][]byte{record.AppendSpan(nil, &s)}}, int64(k))
			handled++
		}
		for send, _ := p.Take(); len(send) > 0; send, _ = p.Take() {
			for _, r := range send {
				p.Handle(r, int64(k))
			}
		}
		now += 10 * time.Millisecond
		p.Advance(actor.Time{Gated: now, Ready: true}, nil)
	}
	b.ReportMetric(float64(handled)/b.Elapsed().Seconds(), "spans/s")
	if c := p.Counts(); c.Bytes > 0 { // each trace is kept until the window passed: the last 6,000 journeys
		b.ReportMetric(float64(c.Bytes)/float64(min(handled, spansOf*6000)), "B/span")
	}
}

// order makes the spans of one journey: calls in the first trace, and a handling in the second that links to what was sent.
func order(k, n int) []journey.Span {
	spans := make([]journey.Span, n)
	for i := range spans {
		s := &spans[i]
		s.Trace = journey.TraceID{1, byte(k >> 16), byte(k >> 8), byte(k)}
		s.ID, s.Start, s.End, s.Kind = journey.SpanID{byte(i + 1)}, base+int64(i)*1_000_001, base+int64(i)*1_000_001+500_003, journey.KindClient
		s.Service, s.Name = "orders", "step"
		if i > 0 {
			s.Parent = journey.SpanID{1}
		}
	}
	spans[n/2-1].Kind = journey.KindProducer
	for i := n / 2; i < n; i++ {
		spans[i].Trace[0], spans[i].Service, spans[i].Parent = 2, "stock", spans[n/2].ID
	}
	w := &spans[n/2]
	w.Parent, w.Kind, w.Links = journey.SpanID{}, journey.KindConsumer, []journey.Link{{Ref: spans[n/2-1].Ref()}}
	return spans
}
