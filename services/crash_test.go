package services

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tracelab/services/faults"
)

// crashCase is a run in which services crash.
type crashCase struct {
	form   Form
	orders int
	seed   uint64
	bolt   bool // the store is a file, not the memory of a process that lives
	faults []faults.Fault
}

// crashCases draws runs. Without a file, and so without an outbox, the entry's service crashes before an order is
// accepted only.
func crashCases() *rapid.Generator[crashCase] {
	return rapid.Custom(func(t *rapid.T) crashCase {
		c := crashCase{form: rapid.SampledFrom([]Form{Kafka, "rabbitmq"}).Draw(t, "form"), orders: rapid.IntRange(1, 8).Draw(t, "orders"),
			seed: rapid.Uint64().Draw(t, "seed"), bolt: rapid.Bool().Draw(t, "bolt")}
		for _, service := range []string{Orders, Inventory, Payment, Shipping, Analytics} {
			points := faults.CrashPoints()
			if service == Orders && !c.bolt {
				points = points[:2]
			}
			if rapid.Bool().Draw(t, service) {
				c.faults = append(c.faults, faults.Fault{Service: service, Kind: faults.Crash, Value: rapid.SampledFrom(points).Draw(t, "point"),
					Share: rapid.SampledFrom([]float64{0.2, 0.5, 1}).Draw(t, "share")})
			}
		}
		return c
	})
}

// TestWhatIsAcceptedIsDoneOnce in the end, wherever between its work, its store, its publishing and its commit a service crashes, when the store
// outlives it.
func TestWhatIsAcceptedIsDoneOnce(t *testing.T) {
	for i := range 8 {
		c := crashCases().Example(i)
		t.Run(fmt.Sprintf("%d %s %d %v", i, c.form, c.orders, c.faults), func(t *testing.T) {
			store := NewStore(1000)
			if c.bolt {
				var err error
				if store, err = OpenStore(t.Context(), filepath.Join(t.TempDir(), "store"), slog.New(slog.DiscardHandler)); err != nil {
					t.Fatal(err)
				}
			}
			defer func() { _ = store.Close() }()
			inBubble(t, func(l *testLab) { l.crash(c) }, func(c *Config) { c.Store = store })
		})
	}
}

// crash places the orders of a case and checks what became of them.
func (l *testLab) crash(c crashCase) {
	l.Helper()
	for number := range c.orders {
		l.place(Experiment{Run: "r", Form: c.form, Number: number, Seed: c.seed, Faults: c.faults}, tea)
		time.Sleep(20 * time.Millisecond)
	}
	var a Accounts
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(time.Second) { // sessions of killed consumers have to end
		if time.Now().After(deadline) {
			l.Fatalf("accounts %+v: not final", a)
		}
		answer := l.send(l.Context(), "GET", "/runs/r", "", nil)
		if answer.status != 200 { // the service is being started again
			continue
		}
		a = l.summary().Forms[c.form]
		if a.Pending == 0 {
			break
		}
	}
	time.Sleep(10 * time.Second)
	l.awaitRestarts()
	a = l.summary().Forms[c.form]
	if a.Failed != 0 || a.Completed != a.Accepted {
		l.Errorf("accounts %+v, want all completed", a)
	}
	want := map[Step]Effect{}
	for _, step := range l.config.flow().Steps() {
		if a.Accepted > 0 {
			want[step] = Effect{Once: a.Accepted, Skipped: a.Effects[step].Skipped}
		}
	}
	if diff := cmp.Diff(want, a.Effects); diff != "" && a.Accepted > 0 {
		l.Errorf("effects (-want +got):\n%s", diff)
	}
	fired := l.system.Fired("r")[c.form]
	for _, f := range c.faults {
		drawn := 0
		for number := range c.orders {
			if (Experiment{Number: number, Seed: c.seed}).Hits(f) {
				drawn++
			}
		}
		if n := fired[f.String()]; n > drawn || f.Service != Orders && a.Accepted == c.orders && n != drawn {
			l.Errorf("%s: fired %d times, drawn %d", f, n, drawn)
		}
	}
}

// TestACrashForgets what a service has in memory: without a store that outlives it, what was done and not told of is done again, with effect.
func TestACrashForgets(t *testing.T) {
	inBubble(t, func(l *testLab) {
		e := in("r", Kafka)
		e.Faults = []faults.Fault{{Service: Payment, Kind: faults.Crash, Value: faults.AfterStore, Share: 1}}
		id := l.place(e, tea).id()
		l.untilWithin(time.Minute, "the order is completed", func() bool { return l.state(id).Status == Completed })
		if n := l.system.Fired("r")[Kafka][e.Faults[0].String()]; n != 1 {
			t.Errorf("fired %d times, want once", n)
		}
		l.awaitRestarts()
		if spans := l.stepSpans(e)[Charge]; len(spans) != 2 || attributes(spans[1])[KeyDuplicate].AsBool() {
			t.Errorf("%d spans of the charge, want two with effect: nobody knows of the first", len(spans))
		}
	})
}

// awaitRestarts waits until services that have crashed are back, with all their groups: a member that is joining cannot leave.
func (l *testLab) awaitRestarts() {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	l.must(l.system.Ready(ctx))
}

// untilWithin waits for a condition that takes longer than others.
func (l *testLab) untilWithin(within time.Duration, what string, holds func() bool) {
	l.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.Fatalf("%s: not so after %v", what, within)
		}
	}
}
