package services

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tracelab/services/flows"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// testLedger is a ledger with a store in memory, which never fails.
type testLedger struct {
	*ledger
	memory *store.Memory
}

func aLedger(limit int) *testLedger {
	memory := store.NewMemory(store.Limits{Units: limit, Effects: 100})
	return &testLedger{newLedger(flows.Order(), memory, limit), memory}
}

func (l *testLedger) does(id string, steps ...Step) {
	_, _, _ = l.note(context.Background(), id, report{steps: steps})
}

func (l *testLedger) hears(id string, handlings ...*orderpb.Handling) {
	_, _, _ = l.note(context.Background(), id, report{handlings: handlings})
}

func (l *testLedger) fails(id string, failures []*orderpb.Failure) (*ending, bool) {
	end, known, _ := l.note(context.Background(), id, report{failures: failures})
	return end, known
}

func (l *testLedger) arrives(id string, hop flows.Hop, of []Step) (last, known bool) {
	last, known, _ = l.arrive(context.Background(), arrivalOf(id, of...), hop)
	return last, known
}

// arrivalOf is a message that says of an order which steps are done.
func arrivalOf(id string, of ...Step) *orderpb.Event {
	return &orderpb.Event{Order: orderOf(id), Steps: asNames(of)}
}

// stateOf is an order's state.
func (l *ledger) stateOf(id string) (State, bool) {
	state, known, _ := l.get(context.Background(), id)
	return state, known
}

// sumsOf are the accounts of a run.
func (l *ledger) sumsOf(run string) Summary {
	s, _ := l.summary(context.Background(), run)
	return s
}

// left counts the orders that are pending.
func (l *ledger) left() int {
	n, _ := l.pending(context.Background())
	return n
}

// begun is an accepted order of a run.
func begun(t *testing.T, l *testLedger, id string) *entry {
	t.Helper()
	en, _, failed := l.begin(context.Background(), Experiment{Run: "r", Form: Kafka}, "", &orderpb.Order{Body: map[string]string{"customer": "ada"}}, id)
	if failed != nil {
		t.Fatal(failed)
	}
	if failed := l.accept(context.Background(), en, acceptance{}); failed != nil {
		t.Fatal(failed)
	}
	return en
}

var branches = []Step{Dispatch, Notify, Record}

// TestTheJoinHappensOnce: whatever the order of arrivals and however often each is repeated, one of them is the last, and it is one that completes the
// three. When it comes again before the join has ended, its process has ended instead, and the join begins again.
func TestTheJoinHappensOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := aLedger(mostOrders)
		begun(t, l, "a")
		arrivals := append(rapid.SliceOfN(rapid.SampledFrom(branches), 0, 8).Draw(rt, "arrivals"), branches...)
		seen := map[Step]bool{}
		joins := 0
		var latest Step // that came for the first time
		for _, step := range arrivals {
			fresh := !seen[step]
			seen[step] = true
			if fresh {
				latest = step
			}
			last, known := l.arrives("a", joined, []Step{step})
			if !known || last != (len(seen) == 3 && step == latest) {
				rt.Fatalf("%v of %v: last %v, known %v", step, arrivals, last, known)
			}
			if last && fresh {
				joins++ // the step begins; when the last one comes again before it has ended, a process has ended instead
			}
		}
		l.does("a", Complete)
		if again, _ := l.arrives("a", joined, []Step{latest}); again {
			rt.Fatalf("%v: the join begins again after its end", arrivals)
		}
		if state, _ := l.stateOf("a"); joins != 1 || state.Status != Completed || len(state.Steps) != 5 {
			rt.Fatalf("joined %d times, %+v", joins, state)
		}
	})
}

func TestArrivalsOfOthers(t *testing.T) {
	l := aLedger(mostOrders)
	if _, known := l.arrives("nobody", joined, []Step{Dispatch}); known {
		t.Error("an order that was never accepted is known")
	}
	begun(t, l, "a")
	if last, known := l.arrives("a", joined, []Step{Charge}); last || !known {
		t.Errorf("a step that the join does not wait for: last %v, known %v", last, known)
	}
	if _, known := l.fails("nobody", nil); known {
		t.Error("a failure of an order that was never accepted is known")
	}
}

// TestTheFirstEndStands: an order does not complete after it has failed, nor fail after it has completed; what fails
// later is added.
func TestTheFirstEndStands(t *testing.T) {
	l := aLedger(mostOrders)
	begun(t, l, "a")
	l.fails("a", []*orderpb.Failure{{Step: "payment.Charge", Reason: "payment_declined"}})
	l.fails("a", []*orderpb.Failure{{Step: "payment.Charge", Reason: "payment_declined"}}) // comes again
	l.fails("a", []*orderpb.Failure{{Step: "shipping.Dispatch", Reason: "timeout"}})
	for _, step := range branches {
		if last, _ := l.arrives("a", joined, []Step{step}); last {
			t.Error("a failed order is joined")
		}
	}
	l.does("a", Complete)
	state, _ := l.stateOf("a")
	want := []StepFailure{{Step: "payment.Charge", Reason: "payment_declined"}, {Step: "shipping.Dispatch", Reason: "timeout"}}
	if diff := cmp.Diff(want, state.Failures); diff != "" || state.Status != Failed {
		t.Errorf("%s (-want +got):\n%s", state.Status, diff)
	}
	begun(t, l, "b")
	l.does("b", Complete)
	l.fails("b", aFailure())
	if state, _ := l.stateOf("b"); state.Status != Completed {
		t.Errorf("an order that is completed became %s", state.Status)
	}
}

func aFailure() []*orderpb.Failure { return []*orderpb.Failure{{Step: "x", Reason: "y"}} }

func TestAccountsAddUp(t *testing.T) {
	l := aLedger(mostOrders)
	for i := range 30 {
		id := fmt.Sprint(i)
		en, _, _ := l.begin(context.Background(), Experiment{Run: "r", Form: Forms()[i%4]}, "", &orderpb.Order{}, id)
		if i%5 == 4 {
			l.refuse(context.Background(), en)
			continue
		}
		if failed := l.accept(context.Background(), en, acceptance{}); failed != nil {
			t.Fatal(failed)
		}
		switch i % 3 {
		case 0:
			l.does(id, Complete)
		case 1:
			l.fails(id, aFailure())
		}
	}
	var sum Accounts
	for form, a := range l.sumsOf("r").Forms {
		if a.Accepted != a.Completed+a.Failed+a.Pending {
			t.Errorf("%s: %+v do not add up", form, a)
		}
		sum = Accounts{Accepted: sum.Accepted + a.Accepted, Completed: sum.Completed + a.Completed, Failed: sum.Failed + a.Failed, Pending: sum.Pending + a.Pending}
	}
	if want := (Accounts{Accepted: 24, Completed: 8, Failed: 8, Pending: 8}); !cmp.Equal(sum, want) || l.left() != want.Pending || len(all(l.ledger, "r")) != 24 {
		t.Errorf("%+v, %d pending, %d listed, want %+v", sum, l.left(), len(all(l.ledger, "r")), want)
	}
	if len(l.sumsOf("other").Forms) != 0 || len(all(l.ledger, "other")) != 0 {
		t.Error("another run has orders, too")
	}
}

func TestIdempotencyKeys(t *testing.T) {
	l := aLedger(mostOrders)
	e, order := Experiment{Run: "r"}, anOrder("", "", "1")
	first, replay, failed := l.begin(context.Background(), e, "key", order, "1")
	if replay || failed != nil {
		t.Fatal(replay, failed)
	}
	expect := func(what string, e Experiment, key string, order *orderpb.Order, reason string, wantReplay bool) *entry {
		t.Helper()
		en, replay, failed := l.begin(context.Background(), e, key, order, "2")
		got := ""
		if failed != nil {
			got = failed.Reason()
		}
		if got != reason || replay != wantReplay {
			t.Errorf("%s: %q, replay %v, want %q, %v", what, got, replay, reason, wantReplay)
		}
		return en
	}
	expect("in flight", e, "key", order, "idempotency_key_in_use", false)
	expect("another body", e, "key", anOrder("", "", "2"), "idempotency_key_reused", false)
	expect("another run", Experiment{Run: "other"}, "key", order, "", false)
	expect("no key", e, "", order, "", false)
	l.refuse(context.Background(), first)
	second := expect("after a refusal", e, "key", order, "", false)
	if failed := l.accept(context.Background(), second, acceptance{}); failed != nil {
		t.Fatal(failed)
	}
	l.answer(context.Background(), second, &orderpb.Receipt{OrderId: "2"}, nil)
	if again := expect("answered", e, "key", order, "", true); again.unit.ID != second.unit.ID || again.answer.GetOrderId() != "2" {
		t.Error("the replay is another order's")
	}
	expect("answered, another body", e, "key", &orderpb.Order{Body: map[string]string{"customer": "eve"}}, "idempotency_key_reused", false)
}

// TestOneOrderForManyAtTheSameTime with the same key: one begins, the others are told that it is in flight or get its answer.
func TestOneOrderForManyAtTheSameTime(t *testing.T) {
	l := aLedger(mostOrders)
	var mu sync.Mutex
	var wg sync.WaitGroup
	counts := map[string]int{}
	for i := range 50 {
		wg.Go(func() {
			en, replay, failed := l.begin(context.Background(), Experiment{}, "key", &orderpb.Order{}, fmt.Sprint(i))
			what := "begun"
			switch {
			case failed != nil:
				what = failed.Reason()
			case replay:
				what = "replayed"
				if en.answer.GetOrderId() != en.unit.ID {
					t.Errorf("replayed %q for %q", en.answer.GetOrderId(), en.unit.ID)
				}
			default:
				if failed := l.accept(context.Background(), en, acceptance{}); failed != nil {
					t.Error(failed)
				}
				l.answer(context.Background(), en, &orderpb.Receipt{OrderId: en.unit.ID}, nil)
			}
			mu.Lock()
			defer mu.Unlock()
			counts[what]++
		})
	}
	wg.Wait()
	if counts["begun"] != 1 || counts["begun"]+counts["replayed"]+counts["idempotency_key_in_use"] != 50 || len(all(l.ledger, "")) != 1 {
		t.Errorf("%v and %d orders, want one begun", counts, len(all(l.ledger, "")))
	}
}

// TestAReaderCannotChangeTheLedger: what get returns is a copy.
func TestAReaderCannotChangeTheLedger(t *testing.T) {
	l := aLedger(mostOrders)
	begun(t, l, "a")
	l.fails("a", aFailure())
	state, _ := l.stateOf("a")
	state.Steps[0], state.Failures[0].Reason = "changed", "changed"
	if again, _ := l.stateOf("a"); slices.Contains(again.Steps, "changed") || again.Failures[0].Reason == "changed" {
		t.Errorf("the ledger has become %+v", again)
	}
}

// all lists a run's orders over all pages.
func all(l *ledger, run string) []State {
	states := []State{}
	for after := uint64(0); ; {
		page, next, _ := l.page(context.Background(), run, after, 7)
		states = append(states, page...)
		if next == 0 {
			return states
		}
		after = next
	}
}
