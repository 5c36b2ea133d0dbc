package services

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/services/faults"
	"tracelab/services/internal/carrier"
)

// slow makes payment take a second, so that there is time to kill it in mid-work.
func slow(e Experiment) Experiment {
	e.Faults = []faults.Fault{{Service: "payment", Kind: "delay", Value: "1s", Share: 1}}
	return e
}

// outcome is what became of an order that was placed while a service was disturbed.
type outcome struct {
	answer chan answer
}

// placing places an order without waiting for it.
func (l *testLab) placing(e Experiment) outcome {
	o := outcome{make(chan answer, 1)}
	go func() { o.answer <- l.place(e, tea) }()
	return o
}

func (l *testLab) ready() {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l.must(l.system.Ready(ctx))
}

// TestKilledServiceIsGone: who calls it gets no answer, its messages are not acknowledged and come again, its port is closed, and it is back at
// the same address.
func TestKilledServiceIsGone(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		address := l.system.Address("payment")
		calls, messages := l.placing(slow(in("r", GRPC))), l.placing(slow(in("r", Kafka)))
		l.until("payment works on both", func() bool { return l.charging() == 2 })
		l.must(l.system.Kill("payment"))
		if a := <-calls.answer; a.status != http.StatusServiceUnavailable {
			l.Errorf("a call in work was answered %d %s, want 503", a.status, a.body)
		}
		accepted := <-messages.answer
		if accepted.status != http.StatusAccepted {
			l.Fatalf("an order by message was answered %d", accepted.status)
		}
		if a := l.place(in("r", REST), tea); a.status != http.StatusServiceUnavailable {
			l.Errorf("a call to a killed service was answered %d %s, want 503", a.status, a.body)
		}
		time.Sleep(2 * time.Second) // the killed service would have ended by now
		if s := l.state(accepted.id()); s.Status != Accepted || len(s.Steps) != 1 {
			l.Errorf("the order by message is %s with %v: a killed service did something", s.Status, s.Steps)
		}
		l.must(l.system.Start(l.Context(), "payment"))
		l.ready()
		if l.system.Address("payment") != address {
			l.Errorf("payment is back at %s, was at %s", l.system.Address("payment"), address)
		}
		l.until("the message came again", func() bool { return l.state(accepted.id()).Status == Completed })
		l.until("calls reach it", func() bool { return l.place(in("s", GRPC), tea).status == http.StatusCreated })
		want := onceEach()
		if diff := cmp.Diff(want, l.summary().Forms[Kafka].Effects); diff != "" {
			l.Errorf("effects of the message form (-want +got):\n%s", diff)
		}
	})
}

// TestACallThatWasNeverSentSaysSo: the client learns whether an order may have had an effect, of the entry step's service that is killed while it works on
// one and then is away. A call cut off is "unavailable", one for which there is no connection "unreachable".
func TestACallThatWasNeverSentSaysSo(t *testing.T) {
	t.Parallel() // in virtual time
	for _, form := range []Form{GRPC, REST} {
		inBubble(t, func(l *testLab) {
			why := func(a answer) string { return strings.TrimPrefix(a.problem(l.T).Type, "/problems/") }
			working := l.placing(slow(in("r", form)))
			l.until("payment works for it", func() bool { return l.charging() == 1 })
			l.must(l.system.Kill(Orders))
			if a := <-working.answer; why(a) != carrier.Unavailable {
				l.Errorf("%s: the order that was cut off: %s", form, a.body)
			}
			time.Sleep(time.Second)
			for range 3 {
				if a := l.place(in("r", form), tea); why(a) != carrier.Unreachable || a.status != http.StatusServiceUnavailable || a.id() != "" {
					l.Errorf("%s: an order while nobody was there: %d %s", form, a.status, a.body)
				}
			}
		})
	}
}

// charging counts the orders that payment has begun to work on.
func (l *testLab) charging() int {
	n := 0
	for _, s := range l.spans.Started() {
		if s.Name() == string(Charge) {
			n++
		}
	}
	return n
}

// TestKilledServiceLosesItsSpans: a span that is open when its service is killed never ends.
func TestKilledServiceLosesItsSpans(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		placed := l.placing(slow(in("r", GRPC)))
		l.until("payment works", func() bool { return l.charging() == 1 })
		l.must(l.system.Kill("payment"))
		<-placed.answer
		time.Sleep(2 * time.Second)
		for _, s := range l.ended() {
			if s.Name() == string(Charge) {
				l.Errorf("the span %s ended at %v", s.Name(), s.EndTime())
			}
		}
	})
}

// TestStoppedServiceDrains: it finishes what it has begun, and messages wait for its return.
func TestStoppedServiceDrains(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		calls, messages := l.placing(slow(in("r", GRPC))), l.placing(slow(in("r", Kafka)))
		l.until("payment works on both", func() bool { return l.charging() == 2 })
		ctx, cancel := context.WithTimeout(l.Context(), patience)
		defer cancel()
		l.must(l.system.Stop(ctx, "payment"))
		if a := <-calls.answer; a.status != http.StatusCreated {
			l.Errorf("a call in work was answered %d %s, want 201", a.status, a.body)
		}
		l.await((<-messages.answer).id())
		waiting := l.place(in("r", Kafka), tea)
		if a := l.place(in("r", GRPC), tea); a.status != http.StatusServiceUnavailable {
			l.Errorf("a call to a stopped service was answered %d, want 503", a.status)
		}
		l.must(l.system.Start(ctx, "payment"))
		if s := l.await(waiting.id()); s.Status != Completed {
			l.Errorf("the order that waited is %s", s.Status)
		}
		if runs, paused := l.system.Running("payment"); !runs || paused {
			l.Errorf("payment runs: %v, paused: %v", runs, paused)
		}
	})
}

// TestPausedServiceStandsStill: nothing comes back while it is paused, and all of it when it goes on.
func TestPausedServiceStandsStill(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.await(l.place(in("r", GRPC), tea).id()) // connections are there
		l.must(l.system.Pause("payment"))
		calls, messages := l.placing(in("r", GRPC)), l.placing(in("r", Kafka))
		accepted := <-messages.answer
		time.Sleep(time.Second)
		select {
		case a := <-calls.answer:
			l.Errorf("a call to a paused service was answered %d %s", a.status, a.body)
		default:
		}
		if s := l.state(accepted.id()); s.Status != Accepted {
			l.Errorf("an order by message is %s while payment is paused", s.Status)
		}
		if err := l.system.Pause("payment"); err == nil {
			l.Error("a paused service was paused again")
		}
		l.must(l.system.Start(l.Context(), "payment"))
		if a := <-calls.answer; a.status != http.StatusCreated {
			l.Errorf("the call that waited was answered %d %s", a.status, a.body)
		}
		if s := l.await(accepted.id()); s.Status != Completed {
			l.Errorf("the order that waited is %s", s.Status)
		}
	})
}

// TestKilledEntryForgets: the service of the entry step comes back without the orders that it had accepted.
func TestKilledEntryForgets(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		id := l.place(in("r", GRPC), tea).id()
		before := l.summary().Orders.Instance
		l.must(l.system.Kill("orders"))
		l.must(l.system.Start(l.Context(), "orders"))
		l.ready()
		if a := l.send(l.Context(), http.MethodGet, "/orders/"+id, "", nil); a.status != http.StatusNotFound {
			l.Errorf("GET answered %d, want 404: the memory is gone", a.status)
		}
		if after := l.summary().Orders.Instance; after == before {
			l.Errorf("instance %s is the one before", after)
		}
	})
}

// TestControlRefuses: names that do not exist, and what cannot be done to a service as it is.
func TestControlRefuses(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		if err := l.system.Kill("paymnet"); err == nil || !strings.Contains(err.Error(), `no service "paymnet": use one of gateway`) {
			l.Errorf("kill of a name that does not exist: %v", err)
		}
		if err := l.system.Start(l.Context(), "payment"); err == nil {
			l.Error("a running service was started")
		}
		l.must(l.system.Kill("payment"))
		for _, do := range []func(string) error{l.system.Kill, l.system.Pause, func(s string) error { return l.system.Stop(l.Context(), s) }} {
			if _, ok := errors.AsType[*NotRunningError](do("payment")); !ok {
				l.Errorf("a killed service: %v", do("payment"))
			}
		}
	})
}
