package actor_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/watch/actor"
	"tracelab/watch/record"
)

// Whatever the order, the partitions and what comes twice: each journey is what its spans alone give, and each once.
func TestVerdictsAreThoseOfAllSpansAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := drawWorld(t)
		want := wanted(spans)
		if want == nil {
			t.Skip("a root without its parent, in a trace that begins with a receive span")
		}
		n := newNetwork(t, rapid.IntRange(1, 4).Draw(t, "partitions"), actor.Config{})
		for k := range spans {
			for range rapid.IntRange(1, 2).Draw(t, "times") {
				n.post(record.Record{Kind: record.Span, To: spans[k].Trace, Spans: [][]byte{record.AppendSpan(nil, &spans[k])}})
			}
		}
		n.drain()
		var last lastVerdict
		for range 48 { // each of the waits, one after the other
			n.advance(1300 * time.Millisecond)
			n.drain()
			last.look(n)
		}
		for range 12 {
			n.advance(20 * time.Second)
			n.drain()
		}
		last.came(n)
		n.compare(want)
		n.sums(spans)
	})
}

// sums checks that every trace became something.
func (n *network) sums(spans []journey.Span) {
	traces := make(map[journey.TraceID]bool)
	for i := range spans {
		traces[spans[i].Trace] = true
	}
	var seen int64
	for _, p := range n.partitions {
		c := p.Counts()
		seen += c.Seen
		if c.Open != 0 || c.Bytes != 0 || c.Seen != c.Judged+c.Incomplete+c.Parts+c.Shared+c.Rootless+c.Evicted {
			n.t.Fatalf("counts do not add up: %+v", c)
		}
	}
	if seen != int64(len(traces)) {
		n.t.Fatalf("%d traces were seen, want %d", seen, len(traces))
	}
}
