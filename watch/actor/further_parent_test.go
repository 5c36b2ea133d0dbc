package actor_test

import (
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/watch/actor"
)

// TestAFurtherParentHandlesItsMessage has a message whose producer is a further parent, as OpenTracing writes it, of the span that handles it. The
// trace of a receive span of the same consumer hears of that, and leaves the receive span out, as the judge does that sees all.
func TestAFurtherParentHandlesItsMessage(t *testing.T) {
	sent := journey.Link{Ref: refOf(2, 2)}
	further := journey.Link{Ref: sent.Ref, Attributes: []journey.Attribute{{Key: "opentracing.ref_type", Value: journey.StringValue("child_of")}}}
	poll := spanOf(1, 5, 1, journey.KindConsumer, "payment", sent)
	poll.Attributes = []journey.Attribute{{Key: semconv.MessagingOperationType, Value: journey.StringValue("receive")}}
	for _, c := range []struct {
		name  string
		trace byte // of the span that handles the message
		links []journey.Link
	}{
		{"a further parent", 2, []journey.Link{further}}, {"and a link", 2, []journey.Link{sent, further}},
		{"in another trace", 3, []journey.Link{further}}, {"in another trace, and a link", 3, []journey.Link{sent, further}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := []journey.Span{
				spanOf(1, 1, 0, journey.KindServer, "shop"), poll, spanOf(2, 1, 0, journey.KindServer, "orders"), spanOf(2, 2, 1, journey.KindProducer, "orders"),
				spanOf(3, 1, 0, journey.KindServer, "desk"), spanOf(c.trace, 4, 1, journey.KindServer, "payment", c.links...),
			}
			want, ok := actor.Judge(all, refOf(1, 1).Trace)
			if !ok || len(want.Spans()) != 1 {
				t.Fatalf("of all spans the journey has %d, want the root alone", len(want.Spans()))
			}
			o := newOne(t, actor.Config{})
			o.read(all...)
			o.pass(10 * time.Second)
			o.judgedAs(want, refOf(1, 1).Trace)
		})
	}
}

// spanOf makes a span that starts by its id, and lasts half a millisecond.
func spanOf(trace, id, parent byte, kind journey.Kind, service string, links ...journey.Link) journey.Span {
	ref := refOf(trace, id)
	s := journey.Span{Trace: ref.Trace, ID: ref.Span, Kind: kind, Service: service, Name: service, Links: links, Start: base + 1_000_001*int64(id) + 1, End: base + 1_000_001*int64(id) + 500_001}
	if parent != 0 {
		s.Parent = refOf(trace, parent).Span
	}
	return s
}

// judgedAs checks that the root of a trace was judged once, and as wanted.
func (o *one) judgedAs(want *journey.Journey, root journey.TraceID) {
	o.t.Helper()
	judged := 0
	for _, v := range o.verdicts {
		if v.Root == root {
			judged++
			if got, want := canonical(v.Journey), canonical(want); got != want {
				o.t.Errorf("judged by its actor:\n%s\nwant\n%s", got, want)
			}
		}
	}
	if judged != 1 {
		o.t.Errorf("judged %d times, want once", judged)
	}
}
