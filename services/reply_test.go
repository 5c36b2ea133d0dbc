package services

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// twoEntries runs f with a lab of which two instances of orders share a PostgreSQL.
func twoEntries(t *testing.T, f func(l *testLab, instances []*System)) {
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

// TestARepliesOwnTopic: an order whose last step another instance does than that which its client waits at is told of by a message, in its trace and
// with its conversation on both ends. One that ends where its client waits needs none.
func TestARepliesOwnTopic(t *testing.T) {
	const orders = 24
	twoEntries(t, func(l *testLab, _ []*System) {
		process := func(span sdktrace.ReadOnlySpan) bool { return span.Name() == "process order.completed" }
		for number := range orders {
			e := in("r", "reply")
			e.Number = number
			a := l.place(e, tea)
			if a.status != http.StatusCreated {
				t.Fatalf("answered %d %s", a.status, a.body)
			}
		}
		var sends, told []sdktrace.ReadOnlySpan
		for _, span := range l.ended() {
			if span.Name() == "send order.completed" {
				sends = append(sends, span)
			}
			if process(span) {
				told = append(told, span)
			}
		}
		if len(sends) == 0 || len(sends) == orders || len(told) == 0 || len(told) > len(sends) {
			t.Fatalf("%d of %d ends sent, %d told: want some of them", len(sends), orders, len(told))
		}
		for _, span := range told {
			i := slices.IndexFunc(sends, func(s sdktrace.ReadOnlySpan) bool { return s.SpanContext().SpanID() == span.Parent().SpanID() })
			if i < 0 {
				t.Fatal("an end is told of that nobody sent")
			}
			id, group := attributes(span)["messaging.message.conversation_id"].AsString(), attributes(span)["messaging.consumer.group.name"].AsString()
			if id == "" || id != attributes(sends[i])["messaging.message.conversation_id"].AsString() || !strings.HasPrefix(group, "orders.replies.") {
				t.Errorf("told of %q in group %q", id, group)
			}
		}
		fast := 0
		for _, span := range told {
			i := slices.IndexFunc(sends, func(s sdktrace.ReadOnlySpan) bool { return s.SpanContext().SpanID() == span.Parent().SpanID() })
			if span.StartTime().Sub(sends[i].StartTime()) < replyCheck/2 {
				fast++
			}
		}
		if fast == 0 {
			t.Errorf("none of %d ends was told at once", len(told))
		}
	})
}
