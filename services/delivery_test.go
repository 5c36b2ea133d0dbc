package services

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/broker/brokertest"
	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
)

// retrying is the flow order whose charge is tried again.
func retrying(t *testing.T, step, retry string) *flows.Flow {
	t.Helper()
	text, err := flows.Source("order")
	if err != nil {
		t.Fatal(err)
	}
	f, err := flows.Parse("order.yaml", bytes.Replace(text, []byte(step+": {"), []byte(step+": {retry: "+retry+", "), 1))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// withoutUndo is a flow in which nothing takes a step back: a redriven message goes on where its order had stopped.
func withoutUndo(f *flows.Flow) *flows.Flow {
	g := *f
	g.Rows = slices.Clone(f.Rows)
	for i := range g.Rows {
		g.Rows[i].Undo = nil
	}
	return &g
}

// processSpans are the ended process spans of a service for an order.
func (l *testLab) processSpans(e Experiment, service string) []sdktrace.ReadOnlySpan {
	var found []sdktrace.ReadOnlySpan
	for _, span := range l.spansOf(e) {
		if serviceOf(span) == service && attributes(span)["messaging.operation.type"].AsString() == "process" {
			found = append(found, span)
		}
	}
	return found
}

// deadLetters are the records of a topic's dead letters.
func (l *testLab) deadLetters(topic string) []*kgo.Record {
	l.Helper()
	// patience is virtual time: the client may ask for the topic more than once.
	return brokertest.Records(l, 0, patience, kgo.SeedBrokers(l.cluster.ListenAddrs()...), kgo.Dialer(l.config.Network.Dial), kgo.ConsumeTopics(topic+carrier.DeadLetters))
}

func headersOf(r *kgo.Record) map[string]string {
	headers := map[string]string{}
	for _, h := range r.Headers {
		headers[h.Key] = string(h.Value)
	}
	return headers
}

// TestAMessageWhoseStepFailsIsTriedAgain and then put with the dead letters: each attempt has a span that is linked to the one before, orders of
// other keys go on meanwhile, and the accounts say what became of it.
func TestAMessageWhoseStepFailsIsTriedAgain(t *testing.T) {
	t.Parallel() // in virtual time
	for _, form := range []Form{Kafka, "rabbitmq"} {
		t.Run(string(form), func(t *testing.T) {
			inBubble(t, func(l *testLab) {
				e := in("r", form)
				e.Faults = []faults.Fault{{Service: Payment, Kind: "error", Value: "payment_declined", Share: 1}}
				bad := l.place(e, tea).id()
				good := in("r", form)
				good.Number = 1
				begin := time.Now()
				if s := l.await(l.place(good, tea).id()); s.Status != Completed {
					t.Errorf("another order: %s", s.Status)
				}
				if took := time.Since(begin); took > 200*time.Millisecond {
					t.Errorf("another order took %v while the first waited for its next attempt", took)
				}
				if s := l.state(bad); s.Status != Accepted {
					l.Fatalf("%s already: the test shows nothing", s.Status)
				}
				state := l.await(bad)
				if diff := cmp.Diff([]StepFailure{{Step: string(Charge), Reason: "payment_declined", Detail: "injected fault", Attempts: 4, DeadLetter: true}}, state.Failures); diff != "" || state.Status != Failed {
					t.Errorf("%s (-want +got):\n%s", state.Status, diff)
				}
				a := l.summary().Forms[form]
				if a.Accepted != 2 || a.Completed != 1 || a.Failed != 1 || a.Pending != 0 || a.Retried != 3 || a.DeadLetters != 1 {
					t.Errorf("accounts %+v", a)
				}
				time.Sleep(time.Second)
				spans := l.processSpans(e, Payment)
				if len(spans) != 4 {
					l.Fatalf("%d process spans, want one for each attempt", len(spans))
				}
				for i, span := range spans {
					if n := attributes(span)[carrier.KeyAttempt].AsInt64(); n != int64(i+1) {
						t.Errorf("attempt %d is numbered %d", i+1, n)
					}
					linked := false
					for _, link := range span.Links() {
						linked = linked || i > 0 && link.SpanContext.SpanID() == spans[i-1].SpanContext().SpanID()
					}
					if linked != (i > 0) || attributes(span)["error.type"].AsString() != "payment_declined" {
						t.Errorf("attempt %d: linked to the one before: %v, error.type %q", i+1, linked, attributes(span)["error.type"].AsString())
					}
				}
				if form != Kafka {
					return
				}
				if lag := l.lag(); lag[Payment] != 0 {
					t.Errorf("%d records are not committed", lag[Payment])
				}
				letters := l.deadLetters("stock.reserved")
				if len(letters) != 1 {
					l.Fatalf("%d dead letters, want 1", len(letters))
				}
				h := headersOf(letters[0])
				got := map[string]string{}
				for _, name := range []string{carrier.HeaderOriginTopic, carrier.HeaderConsumer, carrier.HeaderAttempts, carrier.HeaderErrorType, carrier.HeaderOriginOffset} {
					got[name] = h[name]
				}
				if diff := cmp.Diff(map[string]string{carrier.HeaderOriginTopic: "stock.reserved", carrier.HeaderConsumer: Payment, carrier.HeaderAttempts: "4",
					carrier.HeaderErrorType: "payment_declined", carrier.HeaderOriginOffset: "0"}, got); diff != "" || !strings.Contains(h[carrier.HeaderError], "injected") {
					t.Errorf("headers (-want +got):\n%s", diff)
				}
				parent := spans[0].Parent()
				if want := fmt.Sprintf("00-%s-%s-01", parent.TraceID(), parent.SpanID()); h["traceparent"] != want {
					t.Errorf("traceparent %s, want that of the first sending, %s", h["traceparent"], want)
				}
			}, func(c *Config) { c.Flow = retrying(t, "payment.Charge", "3 within 5s, backoff 400ms") })
		})
	}
}

// TestRedrive: what had failed for good is done when its messages come back: the order completes, its journey is one, and each effect was had
// once. A second redrive finds nothing.
func TestRedrive(t *testing.T) {
	t.Parallel() // in virtual time
	for _, form := range []Form{Kafka, "rabbitmq"} {
		for _, failing := range []struct {
			service, step, topic string
		}{{Payment, "payment.Charge", "stock.reserved"}, {Shipping, "shipping.Dispatch", "payment.captured"}} {
			t.Run(string(form)+" "+failing.step, func(t *testing.T) {
				inBubble(t, func(l *testLab) {
					e := in("r", form)
					e.Faults = []faults.Fault{{Service: failing.service, Kind: "error", Value: "no_luck", Share: 1}}
					id := l.place(e, tea).id()
					if s := l.await(id); s.Status != Failed || len(s.Failures) != 1 || !s.Failures[0].DeadLetter {
						t.Fatalf("%+v, want it failed with a dead letter", s)
					}
					time.Sleep(time.Second)
					l.system.config.AllowFaults = false // the bug is mended
					l.must(l.system.Stop(l.Context(), failing.service))
					l.must(l.system.Start(l.Context(), failing.service))
					l.must(l.system.Ready(l.Context()))
					redrive := func() int {
						sent, err := Redrive(l.Context(), l.config, failing.topic, 100)
						l.must(err)
						return sent[flows.KafkaLog].Sent + sent[flows.RabbitMQ].Sent
					}
					if n := redrive(); n != 1 {
						t.Fatalf("%d sent back, want 1", n)
					}
					l.until("the order is completed", func() bool { return l.state(id).Status == Completed })
					if n := redrive(); n != 0 {
						t.Errorf("a second redrive sent %d back", n)
					}
					time.Sleep(time.Second)
					s, a := l.state(id), l.summary().Forms[form]
					if len(s.Failures) != 0 || a.Accepted != 1 || a.Completed != 1 || a.Failed != 0 || a.Pending != 0 || a.DeadLetters != 1 || a.Retried != 2 || a.BegunAnew != 0 {
						t.Errorf("failures %v, accounts %+v", s.Failures, a)
					}
					if diff := cmp.Diff(onceEach(), a.Effects); diff != "" {
						t.Errorf("effects (-want +got):\n%s", diff)
					}
					spans := l.processSpans(e, failing.service)
					last := spans[len(spans)-1]
					if failing.service == Payment {
						if n := attributes(last)[carrier.KeyAttempt].AsInt64(); len(spans) != 3 || n != 3 || last.Links()[len(last.Links())-1].SpanContext.SpanID() != spans[1].SpanContext().SpanID() {
							t.Errorf("%d process spans, the last is attempt %d and links to %v, want the third, linked to the second", len(spans), n, last.Links())
						}
					}
				}, func(c *Config) { c.Flow = withoutUndo(retrying(t, failing.step, "1 within 5s, backoff 10ms")) })
			})
		}
	}
}
