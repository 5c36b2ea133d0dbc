package services

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/codes"

	"tracelab/services/faults"
	"tracelab/services/flows"
)

// always is a fault that hits every order.
func always(service, kind, value string) []faults.Fault {
	return []faults.Fault{{Service: service, Kind: kind, Value: value, Share: 1}}
}

// TestAStepThatFails: in each form the order fails with that step and reason, the steps that do not need
// it are done, and as many messages are handled as the table says.
func TestAStepThatFails(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, step := range []Step{Reserve, Charge, Dispatch, Notify, Record} {
			for _, form := range allForms() {
				e := Experiment{Run: string(step), Form: form, Faults: always(step.Service(), "error", "bad_luck")}
				checkFailure(l, planFor(form), e, step)
			}
		}
	})
}

func checkFailure(l *testLab, table *flows.Plan, e Experiment, step Step) {
	l.Helper()
	name := fmt.Sprintf("%s %s", e.Form, step)
	a := l.place(e, tea)
	if !table.TellsClient(step) { // behind a message or from the mailbox: no client error
		if a.status != 202 {
			l.Errorf("%s: answered %d %s, want 202", name, a.status, a.body)
		}
	} else if p := a.problem(l.T); a.status != 500 || p.Type != "/problems/bad_luck" || len(p.Failures) != 1 || p.Failures[0].Step != string(step) || a.id() == "" {
		l.Errorf("%s: answered %d %+v, want 500 bad_luck of the step, and the order's address", name, a.status, p)
	}
	state := l.await(a.id())
	want := []StepFailure{{Step: string(step), Reason: "bad_luck", Detail: "injected fault"}}
	if diff := cmp.Diff(want, state.Failures); state.Status != Failed || diff != "" {
		l.Errorf("%s: %s; failures (-want +got):\n%s", name, state.Status, diff)
	}
	time.Sleep(time.Second) // what else is on its way ends
	if diff := cmp.Diff(sorted(append(table.Reached(step), table.UndoneBy(step)...)...), l.steps(e)); diff != "" {
		l.Errorf("%s: steps with a span (-want +got):\n%s", name, diff)
	}
	for tried, spans := range l.stepSpans(e) {
		failed := spans[0].Status().Code == codes.Error
		if failed != (tried == step) || failed && attributes(spans[0])["error.type"].AsString() != "bad_luck" {
			l.Errorf("%s: the span of %s has status %v, error.type %q", name, tried, spans[0].Status(), attributes(spans[0])["error.type"].AsString())
		}
	}
	if diff := cmp.Diff(table.Deliveries(step), l.deliveries(e), cmpopts.EquateEmpty()); diff != "" {
		l.Errorf("%s: messages (-table +handled):\n%s", name, diff)
	}
	if !table.Callee && !table.ReportsFailure(step) { // orders holds the plan, so it has heard of all
		heard := slices.DeleteFunc(table.Reached(step), func(s Step) bool { return s == step })
		if diff := cmp.Diff(sorted(heard...), sorted(l.state(a.id()).Steps...)); diff != "" {
			l.Errorf("%s: steps that orders has heard of (-want +got):\n%s", name, diff)
		}
	}
}

// deliveries counts an order's process spans by topic.
func (l *testLab) deliveries(e Experiment) map[string]int {
	counts := map[string]int{}
	for _, span := range l.ended() {
		a := attributes(span)
		if a["messaging.operation.type"].AsString() == "process" && a[KeyRun].AsString() == e.Run && a[KeyForm].AsString() == string(e.Form) && a[KeyNumber].AsString() == itoa(e.Number) {
			topic := a["messaging.destination.name"].AsString()
			if key, ok := a["messaging.rabbitmq.destination.routing_key"]; ok { // its destinations name the exchange and the queue, too
				topic = key.AsString()
			}
			counts[topic]++
		}
	}
	return counts
}

func TestDeliveriesOfAGoodOrder(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			e := in("r", form)
			l.await(l.place(e, tea).id())
			time.Sleep(time.Second)
			if diff := cmp.Diff(planFor(form).Deliveries(), l.deliveries(e), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: messages (-table +handled):\n%s", form, diff)
			}
		}
	})
}

// TestAFailureInFrontOfTheOrder is a refusal: there is no order.
func TestAFailureInFrontOfTheOrder(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, service := range []string{Gateway, Orders} {
			for _, form := range Forms() {
				e := in(service, form)
				e.Faults = always(service, "error", "bad_luck")
				a := l.place(e, tea)
				if p := a.problem(t); a.status != 500 || p.Type != "/problems/bad_luck" || a.id() != "" {
					t.Errorf("%s in %s: answered %d %+v, want 500 bad_luck and no order", service, form, a.status, p)
				}
				if n := len(l.orders(service)); n != 0 {
					t.Errorf("%s in %s: %d orders", service, form, n)
				}
			}
		}
	})
}

// TestTwoBranchesThatFail are both told, and the caller answers when all three have ended.
func TestTwoBranchesThatFail(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			e := in("r", form)
			e.Faults = slices.Concat(always(Shipping, "error", "no_van"), always(Analytics, "error", "no_disk"), always(Notification, "delay", "3s"))
			begin := time.Now()
			a := l.place(e, tea)
			took := time.Since(begin)
			if planFor(form).EndsInCall() {
				if p := a.problem(t); a.status != 500 || len(p.Failures) != 2 || took < 3*time.Second {
					t.Errorf("%s: answered %d %+v after %v, want both failures when the slow sibling has ended", form, a.status, p, took)
				}
			}
			time.Sleep(5 * time.Second)
			state := l.state(a.id())
			var got []string
			for _, f := range state.Failures {
				got = append(got, f.Step+" "+f.Reason)
			}
			slices.Sort(got)
			if diff := cmp.Diff([]string{"analytics.Record no_disk", "shipping.Dispatch no_van"}, got); diff != "" || state.Status != Failed || !slices.Contains(state.Steps, Notify) {
				t.Errorf("%s: %+v, want failed, with %s done (-want +got):\n%s", form, state, Notify, diff)
			}
		}
	})
}

func TestDelay(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			e := in("r", form)
			e.Faults = always(Payment, "delay", "2s")
			a := l.place(e, tea)
			time.Sleep(3 * time.Second)
			if s := l.state(a.id()); s.Status != Completed {
				t.Errorf("%s: %s, want completed", form, s.Status)
			}
			cost, _ := costOf(e, Charge)
			span := l.stepSpans(e)[Charge][0]
			if took := span.EndTime().Sub(span.StartTime()); took != cost+2*time.Second {
				t.Errorf("%s: the step took %v, want its cost of %v and 2s", form, took, cost)
			}
		}
	})
}

// TestHang: a step that hangs does not hear its caller go away, but ends.
func TestHang(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			e := in("r", form)
			e.Faults = always(Payment, "hang", "7s") // longer than the limit of reading a request
			ctx, cancel := context.WithTimeout(l.Context(), time.Second)
			a := l.placeWithin(ctx, e, tea)
			cancel()
			if planFor(form).EndsInCall() != (a.err != nil) {
				t.Errorf("%s: answered %d, %v within a second", form, a.status, a.err)
			}
			time.Sleep(10 * time.Second)
			span := l.stepSpans(e)[Charge][0]
			if took := span.EndTime().Sub(span.StartTime()); took != 7*time.Second || attributes(span)["error.type"].AsString() != "hang" {
				t.Errorf("%s: the step took %v, error.type %q, want 7s and hang", form, took, attributes(span)["error.type"].AsString())
			}
			if s := l.orders("r"); s[len(s)-1].Form != form || s[len(s)-1].Status != Failed {
				t.Errorf("%s: %+v, want failed", form, s[len(s)-1])
			}
		}
		e := in("patient", REST)
		e.Faults = always(Payment, "hang", "7s")
		if a := l.place(e, tea); a.status != 504 || a.problem(t).Type != "/problems/hang" {
			t.Errorf("a client that waits: answered %d %s, want 504 hang", a.status, a.body)
		}
	})
}

func TestFaultsThatAreNotAllowedAreIgnored(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			e := in("r", form)
			for _, service := range Names() {
				e.Faults = append(e.Faults, always(service, "error", "bad_luck")...)
			}
			if s := l.await(l.place(e, tea).id()); s.Status != Completed {
				t.Errorf("%s: %+v, want completed", form, s)
			}
		}
	}, func(c *Config) { c.AllowFaults = false })
}

// TestAClientThatGoesAway before its answer cancels what calls do, and does not touch what messages do.
func TestAClientThatGoesAway(t *testing.T) {
	t.Parallel() // in virtual time
	for _, c := range []struct {
		form   Form
		slow   string // the service in whose step the client goes
		status Status // "" for no order
	}{
		{REST, Orders, ""}, {GRPC, Orders, ""}, {Kafka, Orders, Completed}, {Hybrid, Orders, ""},
		{REST, Inventory, Failed}, {GRPC, Inventory, Failed}, {Hybrid, Inventory, Failed},
		{REST, Shipping, Failed}, {GRPC, Shipping, Failed},
	} {
		inBubble(t, func(l *testLab) {
			e := in("r", c.form)
			e.Faults = always(c.slow, "delay", "1s")
			ctx, cancel := context.WithTimeout(l.Context(), 500*time.Millisecond)
			defer cancel()
			if a := l.placeWithin(ctx, e, tea); a.err == nil {
				t.Errorf("%s, slow %s: answered %d, want the client gone by then", c.form, c.slow, a.status)
			}
			time.Sleep(5 * time.Second)
			var status Status
			for _, s := range l.orders("r") {
				status = s.Status
			}
			if status != c.status {
				t.Errorf("%s, slow %s: %+v, want %q", c.form, c.slow, l.orders("r"), c.status)
			}
			steps := slices.DeleteFunc(l.steps(e), func(s Step) bool { return !slices.Contains(everyStep, s) }) // without what takes them back
			if (len(steps) == len(everyStep)) != (c.status == Completed) {
				t.Errorf("%s, slow %s: did %v", c.form, c.slow, steps)
			}
		})
	}
}

// TestACancelledLastStepIsNotDone: the client goes in the middle of orders.Complete.
func TestACancelledLastStepIsNotDone(t *testing.T) {
	for _, form := range []Form{REST, GRPC} {
		inBubble(t, func(l *testLab) {
			ctx, cancel := context.WithCancel(l.Context())
			done := make(chan answer)
			go func() { done <- l.placeWithin(ctx, in("r", form), tea) }()
			l.until("the last step has begun", func() bool {
				for _, span := range l.spans.Started() {
					if span.Name() == string(Complete) {
						return true
					}
				}
				time.Sleep(50 * time.Microsecond)
				return false
			})
			cancel()
			<-done
			time.Sleep(time.Second)
			s := l.orders("r")[0]
			if s.Status != Failed || slices.Contains(s.Steps, Complete) || len(s.Failures) != 1 || s.Failures[0].Step != string(Complete) || s.Failures[0].Reason != "cancelled" {
				t.Errorf("%s: %+v, want failed, cancelled at %s", form, s, Complete)
			}
		})
	}
}

// TestABrokerThatDoesNotAcknowledge: the client is told after a while, the order is pending, and goes on later.
func TestABrokerThatDoesNotAcknowledge(t *testing.T) {
	for _, form := range []Form{Kafka, Hybrid} {
		inBubble(t, func(l *testLab) {
			hold := make(chan struct{})
			l.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				l.cluster.SleepControl(func() { <-hold })
				return nil, nil, false
			})
			begin := time.Now()
			a := l.place(in("r", form), tea, "Idempotency-Key", "k")
			if a.status != http.StatusServiceUnavailable || a.id() == "" || time.Since(begin) > handOverTimeout+time.Second {
				t.Errorf("%s: answered %d %s after %v, want 503 and the order's address after %v", form, a.status, a.body, time.Since(begin), handOverTimeout)
			}
			if s := l.state(a.id()); s.Status != Accepted || len(s.Failures) > 0 {
				t.Errorf("%s: %+v, want it pending: nobody has failed", form, s)
			}
			if again := l.place(in("r", form), tea, "Idempotency-Key", "k"); again.id() != a.id() {
				t.Errorf("%s: asked again: %d %s, want the same order", form, again.status, again.body)
			}
			close(hold)
			if s := l.await(a.id()); s.Status != Completed {
				t.Errorf("%s: %s after the broker has come back, want completed", form, s.Status)
			}
		})
	}
}
