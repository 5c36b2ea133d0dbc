package services

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/services/flows"
)

// twoEntries runs f with a lab of which two instances of orders share a PostgreSQL.
func twoEntries(t *testing.T, f func(l *testLab, instances []*System), changes ...func(*Config)) {
	t.Helper()
	url := postgresServer.URL(t)
	open := func() *Store {
		s, err := OpenStore(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	var instances []*System
	onLoopback(t, func(l *testLab) {
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			for _, s := range instances {
				l.must(s.Shutdown(ctx))
			}
		}()
		f(l, instances)
	}, func(c *Config) {
		for _, change := range changes {
			change(c)
		}
		var addresses, rpc []string
		for range 2 {
			own := *c
			own.Services, own.HTTP, own.GRPC, own.Store = []string{Orders}, nil, nil, open()
			s, err := Start(context.Background(), own)
			if err != nil {
				t.Fatal(err)
			}
			instances = append(instances, s)
			addresses, rpc = append(addresses, s.Address(Orders)), append(rpc, s.GRPCAddress(Orders))
		}
		c.Services = slices.DeleteFunc(slices.Clone(c.Services), func(name string) bool { return name == Orders })
		c.HTTP, c.GRPC, c.Store = map[string]string{Orders: strings.Join(addresses, ",")}, map[string]string{Orders: strings.Join(rpc, ",")}, open()
	})
}

// withRepliesBy is the flow order with a form of each message carrier whose client is answered when all is done.
func withRepliesBy(t *testing.T) *flows.Flow {
	t.Helper()
	text, err := flows.Source("order")
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, string(text)+"  told: {each: rabbitmq, orders.Accept: grpc, answer: done}\n")
}

// TestARepliesOwnTopic: an order whose last step another instance does than that which its client waits at is told of by a message, in its trace and
// with its conversation on both ends. One that ends where its client waits needs none.
func TestARepliesOwnTopic(t *testing.T) {
	t.Parallel() // most of it is waiting
	const orders = 24
	forms := map[Form]string{"reply": "order.completed", "told": "tracelab:order.completed"}
	twoEntries(t, func(l *testLab, _ []*System) {
		for form := range forms {
			l.placeReplies(form, orders)
		}
		for form, topic := range forms {
			l.checkReplies(form, topic, orders)
		}
	}, func(c *Config) { c.Flow = withRepliesBy(t) })
}

// placeReplies places orders of a form whose client is answered when all is done. The gateway asks the instances in turn, and RabbitMQ hands out its
// messages in turn, three for each order: calls that lead to no message let the two fall out of step, so that some orders end where their client waits.
func (l *testLab) placeReplies(form Form, orders int) {
	l.Helper()
	for number := range orders {
		e := in("r", form)
		e.Number = number
		for range 1 + number%3/2 { // the second one is told what the first was
			if a := l.place(e, tea, "Idempotency-Key", fmt.Sprint(form, number)); a.status != http.StatusCreated {
				l.Fatalf("%s: answered %d %s", form, a.status, a.body)
			}
		}
	}
}

// checkReplies holds that some ends of a form's orders were told of by messages, at once.
func (l *testLab) checkReplies(form Form, topic string, orders int) {
	l.Helper()
	sends, told := l.spansNamed("send "+topic), l.spansNamed("process "+topic)
	if len(sends) == 0 || len(sends) == orders || len(told) == 0 || len(told) > len(sends) {
		l.Fatalf("%s: %d of %d ends sent, %d told: want some of them", form, len(sends), orders, len(told))
	}
	fast := 0
	for _, span := range told {
		i := slices.IndexFunc(sends, func(s sdktrace.ReadOnlySpan) bool { return s.SpanContext().SpanID() == span.Parent().SpanID() })
		if i < 0 {
			l.Fatalf("%s: an end is told of that nobody sent", form)
		}
		id, group := attributes(span)["messaging.message.conversation_id"].AsString(), attributes(span)["messaging.consumer.group.name"].AsString()
		if id == "" || id != attributes(sends[i])["messaging.message.conversation_id"].AsString() || form == "reply" && !strings.HasPrefix(group, "orders.replies.") {
			l.Errorf("%s: told of %q in group %q", form, id, group)
		}
		if span.StartTime().Sub(sends[i].StartTime()) < replyCheck/2 {
			fast++
		}
	}
	if fast == 0 {
		l.Errorf("%s: none of %d ends was told at once", form, len(told))
	}
}
