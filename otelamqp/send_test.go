package otelamqp_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/codes"

	"tracelab/otelamqp"
)

// How a message can fail to be sent, and what its span and its counter say.
func TestSendFails(t *testing.T) {
	for _, c := range []struct {
		errorType string
		send      func(b *bubble) error
		is        error
	}{
		{"nacked", func(b *bubble) error {
			b.broker.NackNext(1)
			return b.ch.PublishConfirmed(b.Context(), "orders", "placed", false, amqp.Publishing{})
		}, otelamqp.ErrNacked},
		{"NO_ROUTE", func(b *bubble) error {
			return b.ch.PublishConfirmed(b.Context(), "orders", "nowhere", true, amqp.Publishing{})
		}, nil},
		{"NOT_FOUND", func(b *bubble) error {
			return b.ch.PublishConfirmed(b.Context(), "missing", "placed", false, amqp.Publishing{})
		}, nil},
		{"canceled", func(b *bubble) error {
			ctx, cancel := context.WithCancel(b.Context())
			cancel()
			return b.ch.PublishConfirmed(ctx, "orders", "placed", false, amqp.Publishing{})
		}, context.Canceled},
		{"timeout", func(b *bubble) error {
			b.broker.Silence()
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			defer cancel()
			return b.ch.PublishConfirmed(ctx, "orders", "placed", false, amqp.Publishing{})
		}, context.DeadlineExceeded},
		{"channel_closed", func(b *bubble) error {
			b.must(b.ch.Close())
			return b.ch.PublishConfirmed(b.Context(), "orders", "placed", false, amqp.Publishing{})
		}, amqp.ErrClosed},
		{"channel_closed", func(b *bubble) error { // by this side, while the message waits
			b.broker.Silence()
			go func() {
				time.Sleep(time.Second)
				_ = b.ch.Close()
			}()
			return b.ch.PublishConfirmed(b.Context(), "orders", "placed", false, amqp.Publishing{})
		}, nil},
		{"FRAME_ERROR", func(b *bubble) error { // the broker is gone, while the message waits
			b.broker.Silence()
			go func() {
				time.Sleep(time.Second)
				b.broker.Cut()
			}()
			return b.ch.PublishConfirmed(b.Context(), "orders", "placed", true, amqp.Publishing{})
		}, nil},
	} {
		t.Run(c.errorType, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				err := c.send(b)
				if err == nil || c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("error %v, want %v", err, c.is)
				}
				s := b.spans.Ended()[0]
				if got := attributeOf(s.Attributes(), "error.type"); got != c.errorType || s.Status().Code != codes.Error || len(b.spans.Ended()) != 1 {
					t.Errorf("error.type %q, status %v of %d spans; error %v", got, s.Status(), len(b.spans.Ended()), err)
				}
				b.wantMetric("messaging.client.sent.messages", "error.type="+c.errorType, 1)
			})
		})
	}
}

func TestReturnedErrorSaysWhere(t *testing.T) {
	inBubble(t, func(b *bubble) {
		err := b.ch.PublishConfirmed(b.Context(), "orders", "nowhere", true, amqp.Publishing{})
		returned, ok := errors.AsType[*otelamqp.ReturnedError](err)
		if !ok || returned.Code != 312 || returned.RoutingKey != "nowhere" || err.Error() != "message to orders:nowhere was returned: NO_ROUTE (312)" {
			t.Errorf("error %v", err)
		}
		// Who asks for returns gets them as before.
		returns := b.ch.NotifyReturn(make(chan amqp.Return, 1))
		if err := b.ch.PublishConfirmed(b.Context(), "orders", "nowhere", true, amqp.Publishing{}); err == nil || (<-returns).RoutingKey != "nowhere" {
			t.Errorf("error %v, and a return", err)
		}
	})
}

// The span of a deferred confirm ends with the confirm, not with the writing.
func TestDeferredConfirms(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.broker.NackNext(1)
		var confirmations []*amqp.DeferredConfirmation
		for _, key := range []string{"refused", "placed", "nowhere"} {
			confirmation, err := b.ch.PublishWithDeferredConfirmWithContext(b.Context(), "orders", key, true, false, amqp.Publishing{})
			b.must(err)
			confirmations = append(confirmations, confirmation)
		}
		for _, c := range confirmations {
			c.Wait()
		}
		synctest.Wait() // the spans end a moment later
		for key, want := range map[string]string{"refused": "nacked", "placed": "", "nowhere": "NO_ROUTE"} {
			if got := attributeOf(b.only("send orders:"+key).Attributes(), "error.type"); got != want {
				t.Errorf("%s: error.type %q, want %q", key, got, want)
			}
		}
	})
}

// Of many messages on one key the right ones get the return, whatever the order of
// confirms.
func TestReturnFindsItsMessage(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var all []*amqp.DeferredConfirmation
		for i := range 20 {
			if i == 10 { // from here on nobody takes them
				_, err := b.ch.QueueDelete("shipping", false, false, false)
				b.must(err)
			}
			confirmation, err := b.ch.PublishWithDeferredConfirmWithContext(b.Context(), "orders", "placed", true, false, amqp.Publishing{MessageId: fmt.Sprint(i)})
			b.must(err)
			all = append(all, confirmation)
		}
		for _, c := range all {
			c.Wait()
		}
		synctest.Wait()
		for _, s := range b.named("send orders:placed") {
			id, failed := attributeOf(s.Attributes(), "messaging.message.id"), s.Status().Code == codes.Error
			if failed != (len(id) == 2) {
				t.Errorf("message %s failed is %t", id, failed)
			}
		}
	})
}

// A channel without confirms: the span ends when the message is written.
func TestWithoutConfirms(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ch := b.channel()
		b.must(ch.PublishWithContext(b.Context(), "orders", "placed", false, false, amqp.Publishing{}))
		b.must(ch.Publish("orders", "placed", false, false, amqp.Publishing{}))
		if c, err := ch.PublishWithDeferredConfirm("orders", "placed", false, false, amqp.Publishing{}); c != nil || err != nil {
			t.Errorf("confirmation %v, %v, want none", c, err)
		}
		if err := ch.PublishConfirmed(b.Context(), "orders", "placed", false, amqp.Publishing{}); !errors.Is(err, otelamqp.ErrNotConfirmed) {
			t.Errorf("error %v, want %v", err, otelamqp.ErrNotConfirmed)
		}
		if n := len(b.named("send orders:placed")); n != 4 {
			t.Errorf("%d spans, want 4", n)
		}
		b.consume(b.ch, "shipping", 4)
	})
}

// A client that is cut off leaves no span open, and no goroutine (TestMain).
func TestCutLeavesNothingOpen(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.broker.Silence()
		deliveries, err := b.ch.Consume("shipping", "", false, false, false, false, nil)
		b.must(err)
		for range 10 {
			_, err := b.ch.PublishWithDeferredConfirmWithContext(b.Context(), "orders", "placed", true, false, amqp.Publishing{})
			b.must(err)
		}
		<-deliveries // of ten: nine have nobody who takes them
		b.broker.Cut()
		synctest.Wait()
		if started, ended := len(b.spans.Started()), len(b.spans.Ended()); started != 10 || ended != 10 {
			t.Errorf("%d spans started, %d ended, want 10 each", started, ended)
		}
		for range deliveries { // ends
		}
	})
}
