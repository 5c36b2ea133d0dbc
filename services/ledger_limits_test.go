package services

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// TestTheLedgerHasALimit: beyond it the oldest final orders are forgotten, pending ones stay, the sums keep all.
func TestTheLedgerHasALimit(t *testing.T) {
	l := aLedger(20)
	for i := range 95 {
		id := fmt.Sprint(i)
		en, _, failed := l.begin(context.Background(), Experiment{Run: "r", Form: REST}, id, &orderpb.Order{}, id)
		if failed != nil {
			t.Fatal(failed)
		}
		if failed := l.accept(context.Background(), en, acceptance{}); failed != nil {
			t.Fatal(failed)
		}
		if i != 5 && i != 50 { // two that nothing is heard of stay
			l.does(id, Complete)
		}
	}
	var got []string
	for _, state := range all(l.ledger, "r") {
		got = append(got, state.ID)
	}
	want := []string{"5", "50"}
	for i := 77; i < 95; i++ {
		want = append(want, fmt.Sprint(i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("remembered (-want +got):\n%s", diff)
	}
	if a := l.sumsOf("r").Forms[REST]; a.Accepted != 95 || a.Completed != 93 || a.Pending != 2 || a.Forgotten != 75 {
		t.Errorf("%+v, want all orders in the sums", a)
	}
}

// TestAFullLedgerRefuses when all its orders are pending, until one is final, or the oldest has been pending for long.
func TestAFullLedgerRefuses(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		l := aLedger(3)
		place := func(id string) *carrier.Failed {
			en, _, failed := l.begin(context.Background(), Experiment{Run: "r", Form: REST}, "", &orderpb.Order{}, id)
			if failed == nil {
				failed = l.accept(context.Background(), en, acceptance{})
			}
			return failed
		}
		for _, id := range []string{"a", "b", "c"} {
			if failed := place(id); failed != nil {
				t.Fatal(failed)
			}
		}
		failed := place("d")
		if failed == nil || failed.Reason() != carrier.Full || failed.Status() != http.StatusServiceUnavailable {
			t.Fatalf("a fourth order of 3: %v, want %s and 503", failed, carrier.Full)
		}
		l.does("b", Complete)
		if failed := place("d"); failed != nil {
			t.Errorf("after one has ended: %v", failed)
		}
		if failed := place("e"); failed == nil {
			t.Error("room for a fourth order")
		}
		time.Sleep(store.PendingFor)
		if failed := place("e"); failed != nil {
			t.Errorf("when the oldest has been pending for %v: %v", store.PendingFor, failed)
		}
		if a := l.sumsOf("r").Forms[REST]; a.Accepted != 5 || a.Pending != 4 || a.Forgotten != 2 {
			t.Errorf("%+v, want 5 accepted, 4 pending, 2 forgotten", a)
		}
	})
}

// TestAnOrderFitsItsBudget: what the ledger keeps of the largest order is no more than what the limit reckons with.
func TestAnOrderFitsItsBudget(t *testing.T) {
	const n = 5_000
	text := strings.Repeat("€", longestText)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	l := aLedger(n)
	for i := range n {
		id := fmt.Sprintf("%036d", i)
		key := strings.Clone(text[:len(text)-9]) + fmt.Sprintf("%09d", i)
		en, _, failed := l.begin(context.Background(), Experiment{Run: strings.Clone("2026-11-26T09-25-26-1"), Form: Kafka}, key, &orderpb.Order{Body: map[string]string{"customer": strings.Clone(text), "sku": "tea-green", "quantity": "1"}}, id)
		if failed != nil {
			t.Fatal(failed)
		}
		if failed := l.accept(context.Background(), en, acceptance{}); failed != nil {
			t.Fatal(failed)
		}
		for at, step := range flows.Order().Steps() {
			l.hears(id, &orderpb.Handling{Step: string(step), Id: uint64(i*10 + at + 1)})
		}
		for _, step := range branches {
			l.arrives(id, joined, []Step{step})
		}
		l.does(id, flows.Order().Steps()...)
		l.answer(context.Background(), en, &orderpb.Receipt{OrderId: id, Status: string(Accepted), Steps: []string{"orders.Accept"}}, nil)
	}
	each := (heap() - before) / n
	t.Logf("%d bytes an order", each)
	if most := orderBytes + uint64(flows.Order().MaxBodyBytes()); each > most {
		t.Errorf("an order takes %d bytes, want at most %d", each, most)
	}
	runtime.KeepAlive(l)
}
