package actor_test

import (
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/watch/actor"
)

// TestACycleThatClosesLate has a message that seems to be handled by a span of its own trace, until the last span shows that parents go in a circle
// there: the judge ignores the parent of that span, which then handles nothing. What another trace was told before is taken back, so the receive span there
// keeps its message, in any order.
func TestACycleThatClosesLate(t *testing.T) {
	spans := []journey.Span{
		spanOf(2, 2, 8, journey.KindProducer, "orders"), spanOf(2, 1, 2, journey.KindServer, "stock"),
		spanOf(1, 1, 0, journey.KindServer, "shop"), spanOf(1, 4, 1, journey.KindClient, "stock", journey.Link{Ref: refOf(2, 2)}),
		spanOf(2, 8, 1, journey.KindProducer, "orders"),
	}
	spans[3].Attributes = []journey.Attribute{{Key: semconv.MessagingOperationType, Value: journey.StringValue("receive")}}
	want, ok := actor.Judge(spans, refOf(1, 1).Trace)
	if !ok || len(want.Spans()) != 2 {
		t.Fatalf("of all spans the journey has %d, want the root and the receive span", len(want.Spans()))
	}
	for first := range spans {
		o := newOne(t, actor.Config{})
		for k := range spans {
			o.read(spans[(first+k)%len(spans)])
		}
		o.pass(10 * time.Second)
		o.judgedAs(want, refOf(1, 1).Trace)
	}
}
