package actor_test

import (
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/watch/actor"
)

// Two spans of a trace may have one id: both halves of a call, by chance, or as copies of one span that two services exported. Then the journeys are those
// of the judge that sees all, in whatever order they come.
func TestTwoSpansWithOneID(t *testing.T) {
	link := func(trace, id byte) journey.Link { return journey.Link{Ref: refOf(trace, id)} }
	operation := func(s journey.Span, op string) journey.Span {
		s.Attributes = []journey.Attribute{{Key: semconv.MessagingOperationType, Value: journey.StringValue(op)}}
		return s
	}
	as := func(s journey.Span, id byte) journey.Span {
		s.ID = refOf(1, id).Span
		return s
	}
	by := func(s journey.Span, service string) journey.Span {
		s.Service = service
		return s
	}
	handler := spanOf(2, 5, 9, journey.KindConsumer, "stock", link(1, 3))
	for _, c := range []struct {
		name    string
		journey byte // the trace of its root
		has     int  // how many spans
		spans   []journey.Span
	}{
		{"the sender of a message and an earlier span", 1, 5, []journey.Span{
			spanOf(1, 1, 0, journey.KindServer, "orders"), spanOf(1, 2, 1, journey.KindInternal, "orders"), operation(spanOf(1, 3, 1, journey.KindProducer, "orders"), "create"),
			as(operation(spanOf(1, 4, 1, journey.KindClient, "orders", link(1, 3)), "send"), 2), operation(spanOf(2, 5, 0, journey.KindConsumer, "stock", link(1, 3)), "receive"),
		}},
		{"both halves of a call, at which a trace begins", 1, 4, []journey.Span{
			as(spanOf(1, 2, 1, journey.KindServer, "orders"), 1), spanOf(1, 1, 0, journey.KindClient, "shop"), spanOf(1, 3, 1, journey.KindProducer, "orders"),
			spanOf(2, 5, 0, journey.KindConsumer, "stock", link(1, 3)),
		}},
		{"copies of the handler of a message that was polled, too", 3, 1, []journey.Span{
			by(handler, "zinc"), spanOf(1, 1, 0, journey.KindServer, "orders"), spanOf(1, 3, 1, journey.KindProducer, "orders"), handler,
			spanOf(3, 1, 0, journey.KindServer, "desk"), operation(spanOf(3, 6, 1, journey.KindConsumer, "stock", link(1, 3)), "receive"),
		}},
		{"copies of a span whose parent is lost", 1, 3, []journey.Span{
			by(spanOf(2, 4, 8, journey.KindInternal, "stock"), "zinc"), spanOf(1, 1, 0, journey.KindServer, "orders"), spanOf(1, 3, 1, journey.KindProducer, "orders"),
			spanOf(2, 5, 0, journey.KindConsumer, "stock", link(1, 3)), spanOf(2, 4, 8, journey.KindInternal, "stock"),
		}},
		{"copies of the root", 1, 3, []journey.Span{
			by(spanOf(1, 1, 0, journey.KindServer, "orders"), "zinc"), spanOf(1, 1, 0, journey.KindServer, "orders"), spanOf(1, 3, 1, journey.KindProducer, "orders"),
			spanOf(2, 5, 0, journey.KindConsumer, "stock", link(1, 3)),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := refOf(c.journey, 1).Trace
			want, ok := actor.Judge(c.spans, root)
			if !ok || len(want.Spans()) != c.has {
				t.Fatalf("of all spans the journey has %d, want %d", len(want.Spans()), c.has)
			}
			for first := range c.spans {
				o := newOne(t, actor.Config{})
				for k := range c.spans {
					o.read(c.spans[(first+k)%len(c.spans)])
				}
				o.pass(2 * time.Minute)
				o.judgedAs(want, root)
			}
		})
	}
}
