package services

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"tracelab/services/faults"
	"tracelab/services/internal/orderpb"
)

// dial connects to a service the way that a stranger does: without instrumentation. The connection ends with the test.
func (l *testLab) dial(service string) *grpc.ClientConn {
	l.Helper()
	conn, err := grpc.NewClient("passthrough:///"+l.system.GRPCAddress(service), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, a string) (net.Conn, error) { return l.config.Network.Dial(ctx, "tcp", a) }))
	l.must(err)
	l.Cleanup(func() { _ = conn.Close() })
	return conn
}

// placement is a good one.
func placement() *orderpb.Event {
	return &orderpb.Event{Order: anOrder("", "cup", "1")}
}

// onlyServerSpan is the one SERVER span that a service has ended.
func (l *testLab) onlyServerSpan(service, name string) (trace.SpanContext, trace.SpanContext) {
	l.Helper()
	var own, parent trace.SpanContext
	found := 0
	for _, span := range l.ended() {
		if span.SpanKind() == trace.SpanKindServer && serviceOf(span) == service && span.Name() == name {
			own, parent = span.SpanContext(), span.Parent()
			found++
		}
	}
	if found != 1 {
		l.Fatalf("%d SERVER spans %q of %s, want one", found, name, service)
	}
	return own, parent
}

func TestGRPCRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		conn := l.dial(Orders)
		p := placement()
		p.Order.Body["customer"] = strings.Repeat("x", 64<<10)
		_, err := rpc(l.Context(), conn, Accept, p)
		if status.Code(err) != codes.ResourceExhausted {
			t.Errorf("a message over 64 KiB: %v, want ResourceExhausted", err)
		}
		ctx := metadata.AppendToOutgoingContext(l.Context(), "filler", strings.Repeat("x", 65<<10))
		if _, err := rpc(ctx, conn, Accept, placement()); err == nil {
			t.Error("metadata over 64 KiB: no error")
		}
		l.checkNoOrders()
	})
}

func TestGRPCDeadlines(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		conn := l.dial(Inventory)
		event := &orderpb.Event{Order: anOrder("a", "cup", "1")}
		over, cancel := context.WithDeadline(l.Context(), time.Now())
		defer cancel()
		if _, err := rpc(over, conn, Reserve, event); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("a deadline that has passed: %v, want DeadlineExceeded", err)
		}
		soon, cancel := context.WithTimeout(l.Context(), time.Millisecond)
		defer cancel()
		begin := time.Now()
		if _, err := rpc(soon, conn, Reserve, event); status.Code(err) != codes.DeadlineExceeded || time.Since(begin) > 2*time.Millisecond {
			t.Errorf("a deadline that passes during the step: %v after %v, want DeadlineExceeded after 1ms", err, time.Since(begin))
		}
		time.Sleep(time.Second)
		for _, span := range l.ended() {
			if span.Name() == string(Reserve) && span.EndTime().Sub(begin) > 2*time.Millisecond {
				t.Errorf("the step went on for %v after its caller's deadline of 1ms", span.EndTime().Sub(begin))
			}
		}
	})
}

// TestNoStepAfterTheDeadline: an order whose client's deadline passes in the middle of a call form's plan does no more
// steps, whatever carries its calls.
func TestNoStepAfterTheDeadline(t *testing.T) {
	for _, form := range []Form{REST, GRPC} {
		for _, form := range []Form{form, Chained} {
			inBubble(t, func(l *testLab) {
				e := Experiment{Run: "r", Form: form, Faults: []faults.Fault{{Service: Payment, Kind: "delay", Value: "1s", Share: 1}}}
				ctx, cancel := context.WithTimeout(l.Context(), 500*time.Millisecond)
				defer cancel()
				if a := l.placeWithin(ctx, e, tea); a.err == nil {
					t.Errorf("%s: answered %d, want no answer in time", form, a.status)
				}
				time.Sleep(5 * time.Second)
				spans := l.stepSpans(e)
				if len(spans[Charge]) != 1 || len(spans[Dispatch])+len(spans[Notify])+len(spans[Record])+len(spans[Complete]) > 0 {
					t.Errorf("%s: steps %v, want none behind %s", form, l.steps(e), Charge)
				}
				states := l.orders("r")
				if len(states) != 1 || states[0].Status != Failed || len(states[0].Failures) != 1 || states[0].Failures[0].Step != string(Charge) && form != Chained {
					t.Errorf("%s: %+v, want one order, failed at %s", form, states, Charge)
				}
			})
		}
	}
}

// TestBadMetadata: a trace context or baggage that is none starts a new trace; the order is served all the same.
func TestBadMetadata(t *testing.T) {
	parent := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for what, md := range map[string]metadata.MD{
		"doubled traceparent": metadata.Pairs("traceparent", parent, "traceparent", parent),
		"garbage":             metadata.Pairs("traceparent", "xyz", "tracestate", ",,,=", "baggage", "=;;=,"),
		"all zero":            metadata.Pairs("traceparent", "00-00000000000000000000000000000000-0000000000000000-01"),
		"long":                metadata.Pairs("traceparent", strings.Repeat(parent, 50)),
	} {
		inBubble(t, func(l *testLab) {
			conn := l.dial(Orders)
			answer, err := rpc(metadata.NewOutgoingContext(l.Context(), md), conn, Accept, placement())
			if err != nil || answer.GetOrderId() == "" {
				t.Fatalf("%s: %v, %v: want an order", what, answer, err)
			}
			l.await(answer.GetOrderId())
			own, above := l.onlyServerSpan(Orders, "tracelab.order.v1.Orders/Accept")
			if above.IsValid() || own.TraceID().String() == "0af7651916cd43dd8448eb211c80319c" {
				t.Errorf("%s: the span %v has the parent %v, want a new trace", what, own, above)
			}
		})
	}
	inBubble(t, func(l *testLab) { // and with a good one it goes on
		conn := l.dial(Orders)
		answer, err := rpc(metadata.NewOutgoingContext(l.Context(), metadata.Pairs("traceparent", parent)), conn, Accept, placement())
		l.must(err)
		l.await(answer.GetOrderId())
		if own, above := l.onlyServerSpan(Orders, "tracelab.order.v1.Orders/Accept"); own.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || above.SpanID().String() != "b7ad6b7169203331" {
			t.Errorf("the span %v has the parent %v, want the caller's", own, above)
		}
	})
}

// TestACallNeedsAnOrderID, over either carrier.
func TestACallNeedsAnOrderID(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, step := range []Step{Reserve, Charge, Dispatch, Notify, Record} {
			conn := l.dial(step.Service())
			_, err := rpc(l.Context(), conn, step, placement())
			if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "id") {
				t.Errorf("grpc %s without an id: %v, want InvalidArgument", step, err)
			}
			a := l.post(step.Service(), "/"+strings.ToLower(step.Verb()), `{"order":{"body":{"sku":"cup"}}}`)
			if a.status != 400 || a.problem(t).Failures[0].Step != string(step) {
				t.Errorf("http %s without an id: %d %s, want 400", step, a.status, a.body)
			}
			if a := l.post(step.Service(), "/"+strings.ToLower(step.Verb()), `{"order":{"id":"x"},"nonsense":1}`); a.status != 400 {
				t.Errorf("http %s with an unknown field: %d %s, want 400", step, a.status, a.body)
			}
		}
		if n := len(l.stepSpans(Experiment{})); n != 0 {
			t.Errorf("%d steps were done", n)
		}
	})
}
