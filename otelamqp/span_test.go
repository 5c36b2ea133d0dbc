package otelamqp_test

import (
	"context"
	"errors"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/baggage"

	"tracelab/otelamqp"
)

func TestRelations(t *testing.T) {
	for _, relation := range []otelamqp.Relation{otelamqp.RelationBoth, otelamqp.RelationParent, otelamqp.RelationLink} {
		t.Run(relation.String(), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				ctx, server := b.order("o-1")
				time.Sleep(time.Millisecond)
				b.publish(ctx, "placed", amqp.Publishing{MessageId: "m-1", CorrelationId: "o-1", Body: []byte("{}")})
				server.End()
				d := b.consume(b.ch, "shipping", 1)[0]
				b.must(b.in.Process(b.Context(), d, func(ctx context.Context, d amqp.Delivery) error {
					if got := baggage.FromContext(ctx).Member("order").Value(); got != "o-1" {
						t.Errorf("baggage in the handler: order=%q, want o-1", got)
					}
					time.Sleep(3 * time.Millisecond)
					_, inner := b.tp.Tracer("test").Start(ctx, "shipping.Dispatch")
					time.Sleep(2 * time.Millisecond)
					inner.End()
					return nil
				}))
				b.must(d.Ack(false))
				b.golden("relation-" + relation.String())
			}, otelamqp.WithRelation(relation), otelamqp.WithBodySize())
		})
	}
}

func TestRelationFuncSeesTheMessage(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ctx, server := b.order("o-1")
		b.publish(ctx, "placed", amqp.Publishing{Type: "linked"})
		server.End()
		_, p := b.in.StartProcess(b.Context(), b.consume(b.ch, "shipping", 1)[0])
		p.End(nil)
		if s := b.only("process orders:placed:shipping"); s.Parent().IsValid() || len(s.Links()) != 1 {
			t.Errorf("parent %t and %d links, want a root with a link", s.Parent().IsValid(), len(s.Links()))
		}
	}, otelamqp.WithRelationFunc(func(ctx context.Context, d *amqp.Delivery) otelamqp.Relation {
		if d.Type == "linked" && baggage.FromContext(ctx).Member("order").Value() == "o-1" {
			return otelamqp.RelationLink
		}
		return otelamqp.RelationParent
	}))
}

func TestScopeStaysAsLink(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ctx, server := b.order("o-1")
		b.publish(ctx, "placed", amqp.Publishing{})
		server.End()
		d := b.consume(b.ch, "shipping", 1)[0]
		scope, other := b.order("o-other")
		processCtx, p := b.in.StartProcess(scope, d)
		if got := baggage.FromContext(processCtx).Member("order").Value(); got != "o-1" {
			t.Errorf("baggage is order=%q, want that of the message", got)
		}
		p.End(errors.New("no stock"))
		b.must(d.Nack(false, false))
		other.End()
		b.golden("scope")
	})
}

// What the caller's context carries must not reach the process span of a message
// without a context.
func TestCallersContextStaysOut(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publish(b.Context(), "placed", amqp.Publishing{})
		d := b.consume(b.ch, "shipping", 1)[0]
		d.Headers = nil
		scope, other := b.order("other")
		ctx, p := b.in.StartProcess(scope, d)
		if n := baggage.FromContext(ctx).Len(); n != 0 {
			t.Errorf("%d members of the caller's baggage reach the handler", n)
		}
		p.End(nil)
		other.End()
		s := b.only("process orders:placed:shipping")
		if s.Parent().IsValid() || len(s.Links()) != 1 || !s.Links()[0].SpanContext.Equal(other.SpanContext()) {
			t.Errorf("parent %t, links %v; want a root with a link to the caller's span", s.Parent().IsValid(), s.Links())
		}
	})
}

// A caller who has extracted the message's context already gets one link, not two.
func TestCreationContextInScope(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publish(b.Context(), "placed", amqp.Publishing{})
		d := b.consume(b.ch, "shipping", 1)[0]
		_, p := b.in.StartProcess(propagator.Extract(b.Context(), otelamqp.TableCarrier{Table: d.Headers}), d)
		p.End(nil)
		if n := len(b.only("process orders:placed:shipping").Links()); n != 1 {
			t.Errorf("%d links, want 1", n)
		}
	})
}

func TestHandlerThatPanics(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publish(b.Context(), "placed", amqp.Publishing{})
		d := b.consume(b.ch, "shipping", 1)[0]
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic did not go on")
				}
			}()
			_ = b.in.Process(b.Context(), d, func(context.Context, amqp.Delivery) error { panic("bug") })
		}()
		if got := attributeOf(b.only("process orders:placed:shipping").Attributes(), "error.type"); got != "panic" {
			t.Errorf("error.type %q, want panic", got)
		}
	})
}

// The headers of a message that is sent on must not keep the earlier context, and
// the caller's table stays as it is.
func TestForwardedMessageGetsItsOwnContext(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ctx, server := b.order("o-1")
		headers := amqp.Table{"Traceparent": goodTraceparent, "tracestate": "stale=1", "own": int32(7)}
		b.publish(ctx, "placed", amqp.Publishing{Headers: headers})
		server.End()
		if len(headers) != 3 || headers["Traceparent"] != goodTraceparent {
			t.Errorf("the caller's headers are %v now", headers)
		}
		d := b.consume(b.ch, "shipping", 1)[0]
		sent := b.only("send orders:placed").SpanContext()
		want := "00-" + sent.TraceID().String() + "-" + sent.SpanID().String() + "-01"
		if d.Headers["traceparent"] != want || d.Headers["own"] != int32(7) || len(d.Headers) != 3 {
			t.Errorf("headers %v, want traceparent %s, baggage and own", d.Headers, want)
		}
	})
}

func TestKeepCreationContext(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ctx, server := b.order("1")
		stored := amqp.Table{}
		propagator.Inject(ctx, otelamqp.TableCarrier{Table: stored})
		server.End()
		relay, span := b.tp.Tracer("test").Start(b.Context(), "outbox relay")
		b.publish(otelamqp.KeepCreationContext(relay), "placed", amqp.Publishing{Headers: stored})
		// Without a context in the headers there is none to keep.
		b.publish(otelamqp.KeepCreationContext(relay), "placed", amqp.Publishing{})
		span.End()
		for _, d := range b.consume(b.ch, "shipping", 2) {
			_, p := b.in.StartProcess(b.Context(), d)
			p.End(nil)
		}
		b.golden("custom-creation")
	})
}
