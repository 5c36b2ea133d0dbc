package actor_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/watch/actor"
)

// drawCircle draws traces whose messages go around in a circle of links, reached from roots outside of it, of which some only seem to be roots: their
// parents come later.
func drawCircle(t *rapid.T) []journey.Span {
	pick := func(what string, low, high int) int { return rapid.IntRange(low, high).Draw(t, what) }
	var spans []journey.Span
	add := func(trace int, kind journey.Kind, op string) *journey.Span {
		n := len(spans) + 1
		s := journey.Span{Trace: journey.TraceID{byte(trace), 15: 1}, ID: journey.SpanID{byte(n), 1}, Kind: kind, Name: fmt.Sprint("s", n), Service: "a"}
		s.Start = base + 1_700_001*int64(pick("start", 0, 60)) + int64(n)
		s.End = s.Start + 1_300_003*int64(pick("length", 0, 30)) + 7
		if op != "" {
			s.Attributes = []journey.Attribute{{Key: semconv.MessagingOperationType, Value: journey.StringValue(op)}}
		}
		spans = append(spans, s)
		return &spans[n-1]
	}
	around := pick("around", 1, 4)
	sends, handles := make([]int, around), make([]int, around)
	for k := range around {
		s := add(k+1, journey.KindConsumer, "process")
		handles[k] = len(spans) - 1
		id := s.ID
		add(k+1, journey.KindProducer, "send").Parent = id
		sends[k] = len(spans) - 1
	}
	for k := range around {
		spans[handles[k]].Links = []journey.Link{{Ref: spans[sends[(k+around-1)%around]].Ref()}}
	}
	for r := range pick("roots", 1, 4) {
		root := add(10+r, journey.KindServer, "")
		above := root.ID
		if pick("seems to be one", 0, 1) == 1 { // its trace begins elsewhere, in the circle or behind another span
			root.Parent = journey.SpanID{0xf0, byte(r)}
			if into := pick("below", 0, len(spans)-2); pick("lost", 0, 3) > 0 {
				first := add(10+r, journey.KindConsumer, "process")
				first.Links = []journey.Link{{Ref: spans[into].Ref()}}
				first.ID = journey.SpanID{0xf0, byte(r)}
			}
		}
		add(10+r, journey.KindProducer, "send").Parent = above
		to := &spans[handles[pick("to", 0, around-1)]]
		to.Links = append(to.Links, journey.Link{Ref: spans[len(spans)-1].Ref()})
	}
	return spans
}

// Around a circle of links a label of what only seemed to be a root may stay: each trace has it from the one before. It does no harm, whichever partitions
// are lost and read again, since that root judges nothing.
func TestCirclesOfLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := drawCircle(t)
		n := newNetwork(t, rapid.IntRange(1, 4).Draw(t, "partitions"), actor.Config{})
		n.crowd(spans, true)
		n.compare(verdictsAtOnce(t, spans, n.config))
	})
}

// A label that stays there counts among those that may reach a span, so spans may be given to nobody that could be given. What is missing then is counted.
func TestWhatACircleMissesIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := drawCircle(t)
		n := newNetwork(t, rapid.IntRange(1, 4).Draw(t, "partitions"), actor.Config{Causes: rapid.IntRange(1, 4).Draw(t, "causes")})
		n.crowd(spans, true)
		want := verdictsAtOnce(t, spans, n.config)
		crowded := int64(0)
		for _, p := range n.partitions {
			crowded += p.Counts().Crowded
		}
		if crowded == 0 {
			n.compare(want)
		}
		for root := range want {
			if len(n.verdicts[root]) != 1 {
				t.Fatalf("%d verdicts of %s, want 1", len(n.verdicts[root]), root)
			}
		}
	})
}
