package services

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tracelab/services/internal/orderpb"
)

// begun is an accepted order of a run.
func begun(t *testing.T, l *ledger, id string) *entry {
	t.Helper()
	en, _, failed := l.begin(Experiment{Run: "r", Form: Kafka}, "", &orderpb.Order{Customer: "ada"}, id)
	if failed != nil {
		t.Fatal(failed)
	}
	if failed := l.accept(en); failed != nil {
		t.Fatal(failed)
	}
	return en
}

var branches = []Step{Dispatch, Notify, Record}

// TestTheJoinHappensOnce: whatever the order of arrivals and however often each is repeated, one of them is the last,
// and it is one that completes the three.
func TestTheJoinHappensOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := newLedger(mostOrders)
		begun(t, l, "a")
		arrivals := append(rapid.SliceOfN(rapid.SampledFrom(branches), 0, 8).Draw(rt, "arrivals"), branches...)
		seen := map[Step]bool{}
		joins := 0
		for _, step := range arrivals {
			fresh := !seen[step]
			seen[step] = true
			last, known := l.arrive("a", step, branches)
			if !known || last != (fresh && len(seen) == 3) {
				rt.Fatalf("%v of %v: last %v, known %v", step, arrivals, last, known)
			}
			if last {
				joins++ // the step begins; repeats may come before it has ended
			}
		}
		l.did("a", Complete)
		if state, _ := l.get("a"); joins != 1 || state.Status != Completed || len(state.Steps) != 5 {
			rt.Fatalf("joined %d times, %+v", joins, state)
		}
	})
}

func TestArrivalsOfOthers(t *testing.T) {
	l := newLedger(mostOrders)
	if _, known := l.arrive("nobody", Dispatch, branches); known {
		t.Error("an order that was never accepted is known")
	}
	begun(t, l, "a")
	if last, known := l.arrive("a", Charge, branches); last || !known {
		t.Errorf("a step that the join does not wait for: last %v, known %v", last, known)
	}
	if _, known := l.fail("nobody", nil); known {
		t.Error("a failure of an order that was never accepted is known")
	}
}

// TestTheFirstEndStands: an order does not complete after it has failed, nor fail after it has completed; what fails
// later is added.
func TestTheFirstEndStands(t *testing.T) {
	l := newLedger(mostOrders)
	begun(t, l, "a")
	l.fail("a", []*orderpb.Failure{{Step: "payment.Charge", Reason: "payment_declined"}})
	l.fail("a", []*orderpb.Failure{{Step: "payment.Charge", Reason: "payment_declined"}}) // comes again
	l.fail("a", []*orderpb.Failure{{Step: "shipping.Dispatch", Reason: "timeout"}})
	for _, step := range branches {
		if last, _ := l.arrive("a", step, branches); last {
			t.Error("a failed order is joined")
		}
	}
	l.did("a", Complete)
	state, _ := l.get("a")
	want := []StepFailure{{Step: "payment.Charge", Reason: "payment_declined"}, {Step: "shipping.Dispatch", Reason: "timeout"}}
	if diff := cmp.Diff(want, state.Failures); diff != "" || state.Status != Failed {
		t.Errorf("%s (-want +got):\n%s", state.Status, diff)
	}
	begun(t, l, "b")
	l.did("b", Complete)
	l.fail("b", aFailure())
	if state, _ := l.get("b"); state.Status != Completed {
		t.Errorf("an order that is completed became %s", state.Status)
	}
}

func aFailure() []*orderpb.Failure { return []*orderpb.Failure{{Step: "x", Reason: "y"}} }

func TestAccountsAddUp(t *testing.T) {
	l := newLedger(mostOrders)
	for i := range 30 {
		id := fmt.Sprint(i)
		en, _, _ := l.begin(Experiment{Run: "r", Form: Forms()[i%4]}, "", &orderpb.Order{}, id)
		if i%5 == 4 {
			l.refuse(en)
			continue
		}
		l.accept(en)
		switch i % 3 {
		case 0:
			l.did(id, Complete)
		case 1:
			l.fail(id, aFailure())
		}
	}
	var sum Accounts
	for form, a := range l.summary("r").Forms {
		if a.Accepted != a.Completed+a.Failed+a.Pending {
			t.Errorf("%s: %+v do not add up", form, a)
		}
		sum = Accounts{Accepted: sum.Accepted + a.Accepted, Completed: sum.Completed + a.Completed, Failed: sum.Failed + a.Failed, Pending: sum.Pending + a.Pending}
	}
	if want := (Accounts{Accepted: 24, Completed: 8, Failed: 8, Pending: 8}); !cmp.Equal(sum, want) || l.pending() != want.Pending || len(all(l, "r")) != 24 {
		t.Errorf("%+v, %d pending, %d listed, want %+v", sum, l.pending(), len(all(l, "r")), want)
	}
	if len(l.summary("other").Forms) != 0 || len(all(l, "other")) != 0 {
		t.Error("another run has orders, too")
	}
}

func TestIdempotencyKeys(t *testing.T) {
	l := newLedger(mostOrders)
	e, order := Experiment{Run: "r"}, &orderpb.Order{Customer: "ada", Quantity: 1}
	first, replay, failed := l.begin(e, "key", order, "1")
	if replay || failed != nil {
		t.Fatal(replay, failed)
	}
	expect := func(what string, e Experiment, key string, order *orderpb.Order, reason string, wantReplay bool) *entry {
		t.Helper()
		en, replay, failed := l.begin(e, key, order, "2")
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
	expect("another body", e, "key", &orderpb.Order{Customer: "ada", Quantity: 2}, "idempotency_key_reused", false)
	expect("another run", Experiment{Run: "other"}, "key", order, "", false)
	expect("no key", e, "", order, "", false)
	l.refuse(first)
	second := expect("after a refusal", e, "key", order, "", false)
	l.accept(second)
	l.answer(second, &orderpb.Acceptance{OrderId: "2"}, nil)
	if again := expect("answered", e, "key", order, "", true); again != second {
		t.Error("the replay is another order's")
	}
	expect("answered, another body", e, "key", &orderpb.Order{Customer: "eve"}, "idempotency_key_reused", false)
}

// TestOneOrderForManyAtTheSameTime with the same key: one begins, the others are told that it is in flight or get its answer.
func TestOneOrderForManyAtTheSameTime(t *testing.T) {
	l := newLedger(mostOrders)
	var mu sync.Mutex
	var wg sync.WaitGroup
	counts := map[string]int{}
	for i := range 50 {
		wg.Go(func() {
			en, replay, failed := l.begin(Experiment{}, "key", &orderpb.Order{}, fmt.Sprint(i))
			what := "begun"
			switch {
			case failed != nil:
				what = failed.Reason()
			case replay:
				what = "replayed"
				if en.answer.GetOrderId() != en.state.ID {
					t.Errorf("replayed %q for %q", en.answer.GetOrderId(), en.state.ID)
				}
			default:
				l.accept(en)
				l.answer(en, &orderpb.Acceptance{OrderId: en.state.ID}, nil)
			}
			mu.Lock()
			defer mu.Unlock()
			counts[what]++
		})
	}
	wg.Wait()
	if counts["begun"] != 1 || counts["begun"]+counts["replayed"]+counts["idempotency_key_in_use"] != 50 || len(all(l, "")) != 1 {
		t.Errorf("%v and %d orders, want one begun", counts, len(all(l, "")))
	}
}

// TestAReaderCannotChangeTheLedger: what get returns is a copy.
func TestAReaderCannotChangeTheLedger(t *testing.T) {
	l := newLedger(mostOrders)
	begun(t, l, "a")
	l.fail("a", aFailure())
	state, _ := l.get("a")
	state.Steps[0], state.Failures[0].Reason = "changed", "changed"
	if again, _ := l.get("a"); slices.Contains(again.Steps, "changed") || again.Failures[0].Reason == "changed" {
		t.Errorf("the ledger has become %+v", again)
	}
}

func TestTheLedgerForgetsTheOldestThatAreFinal(t *testing.T) {
	l := newLedger(mostOrders)
	l.limit = 20
	for i := range 95 {
		id := fmt.Sprint(i)
		en, _, _ := l.begin(Experiment{Run: "r", Form: REST}, id, &orderpb.Order{}, id)
		l.accept(en)
		if i != 5 { // one that nothing is heard of stays
			l.did(id, Complete)
		}
	}
	var got []string
	for _, state := range all(l, "r") {
		got = append(got, state.ID)
	}
	want := []string{"5"}
	for i := 76; i < 95; i++ {
		want = append(want, fmt.Sprint(i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("remembered (-want +got):\n%s", diff)
	}
	if len(l.byID) != 20 || len(l.byKey) != 20 {
		t.Errorf("%d orders by id, %d by key, want 20: what is forgotten is forgotten, its key is free", len(l.byID), len(l.byKey))
	}
}

// all lists a run's orders over all pages.
func all(l *ledger, run string) []State {
	states := []State{}
	for after := uint64(0); ; {
		page, next := l.page(run, after, 7)
		states = append(states, page...)
		if next == 0 {
			return states
		}
		after = next
	}
}
