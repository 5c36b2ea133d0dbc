package services

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/services/flows"
	"tracelab/services/internal/store"
)

// fullStore is a store in a file whose disk is full at times: then nothing is written, and all is read.
type fullStore struct {
	store.Store
	full      *atomic.Bool // nothing is written
	unremoved *atomic.Bool // messages cannot be removed
}

var errFull = fmt.Errorf("store file orders: write orders: %w", syscall.ENOSPC)

func (s fullStore) write(do func() error) error {
	if s.full.Load() {
		return errFull
	}
	return do()
}

// Put notes an effect.
func (s fullStore) Put(ctx context.Context, unit, step string, handling uint64) (stands uint64, err error) {
	err = s.write(func() (err error) { stands, err = s.Store.Put(ctx, unit, step, handling); return err })
	return stands, err
}

// Reserve reserves a key.
func (s fullStore) Reserve(ctx context.Context, r store.Reservation) (held store.Reservation, taken bool, err error) {
	err = s.write(func() (err error) { held, taken, err = s.Store.Reserve(ctx, r); return err })
	return held, taken, err
}

// Answer keeps an answer.
func (s fullStore) Answer(ctx context.Context, key store.Key, unit string, answer []byte) error {
	return s.write(func() error { return s.Store.Answer(ctx, key, unit, answer) })
}

// Create adds a unit.
func (s fullStore) Create(ctx context.Context, u *store.Unit, sums store.Sums, messages ...store.Message) error {
	return s.write(func() error { return s.Store.Create(ctx, u, sums, messages...) })
}

// Update changes a unit.
func (s fullStore) Update(ctx context.Context, id string, change func(*store.Unit) (store.Sums, bool)) error {
	return s.write(func() error { return s.Store.Update(ctx, id, change) })
}

// Enqueue puts messages into the outbox.
func (s fullStore) Enqueue(ctx context.Context, messages ...store.Message) error {
	return s.write(func() error { return s.Store.Enqueue(ctx, messages...) })
}

// Remove removes messages.
func (s fullStore) Remove(ctx context.Context, ids ...uint64) error {
	if s.unremoved.Load() {
		return errFull
	}
	return s.write(func() error { return s.Store.Remove(ctx, ids...) })
}

// withFullStore runs f in virtual time with a lab whose store is in a file on a disk that f may fill.
func withFullStore(t *testing.T, f func(l *testLab, s fullStore)) {
	t.Helper()
	at := filepath.Join(t.TempDir(), "store")
	synctest.Test(t, func(t *testing.T) {
		l := crashLab(t, at, false)
		s := fullStore{l.config.Store.kept, &atomic.Bool{}, &atomic.Bool{}}
		l.config.Store.kept, l.config.Telemetry.Processors = s, []sdktrace.SpanProcessor{l.spans}
		l.start()
		defer l.endCrashLab()
		f(l, s)
	})
}

// TestADiskThatFillsWhileOrdersAreWorkedOn: orders that come while it is full are refused by the store's name. Each that was accepted before comes to
// its end when there is room: one that messages carry is completed, one that calls carry is completed or failed, as its client was told.
func TestADiskThatFillsWhileOrdersAreWorkedOn(t *testing.T) {
	t.Parallel() // most of it is waiting
	withFullStore(t, func(l *testLab, s fullStore) {
		forms := flows.Order().Forms()
		var placed []outcome
		for _, form := range forms {
			e := in("r", form)
			e.Faults = always(Payment, "delay", "1s")
			placed = append(placed, l.placing(e))
		}
		time.Sleep(500 * time.Millisecond) // the charge has begun
		s.full.Store(true)
		for _, form := range forms {
			e := in("r", form)
			e.Number = 1
			a := l.place(e, tea, "Idempotency-Key", "k"+string(form))
			if p := a.problem(t); a.status != http.StatusServiceUnavailable || a.id() != "" || !strings.Contains(p.Detail, errFull.Error()) {
				t.Errorf("%s: answered %d %s while the disk is full, want 503 and the store's words", form, a.status, a.body)
			}
		}
		time.Sleep(5 * time.Second)
		s.full.Store(false)
		for i, form := range forms {
			a := <-placed[i].answer
			if a.id() == "" {
				t.Fatalf("%s: answered %d %s, want an order", form, a.status, a.body)
			}
			state := l.await(a.id())
			if calls := planFor(form).EndsInCall() || form == "ack" || form == Hybrid; state.Status != Completed && (!calls || a.status/100 == 2 && form != "ack") {
				t.Errorf("%s: %s, and answered %d: %+v", form, state.Status, a.status, state.Failures)
			}
			sums, err := l.settled("r", form)
			l.must(err)
			if sums.Accepted != 1 || sums.Completed+sums.Failed != 1 || sums.Pending != 0 || sums.Lost != 0 {
				t.Errorf("%s: accounts %+v, want one order that has ended", form, sums)
			}
			for step, effect := range sums.Effects {
				if effect.Twice != 0 || effect.Once > 1 {
					t.Errorf("%s: %s: %+v, want its effect once", form, step, effect)
				}
			}
			e := in("after", form)
			if s := l.await(l.place(e, tea, "Idempotency-Key", "k"+string(form)).id()); s.Status != Completed {
				t.Errorf("%s: with room again an order is %s: %+v", form, s.Status, s.Failures)
			}
		}
	})
}

// TestAMessageThatCannotBeRemoved from the outbox is not sent again by the process that has sent it, and is removed when that is possible.
func TestAMessageThatCannotBeRemoved(t *testing.T) {
	withFullStore(t, func(l *testLab, s fullStore) {
		s.unremoved.Store(true)
		id := l.place(in("r", Kafka), tea).id()
		if state := l.await(id); state.Status != Completed {
			t.Errorf("%s, want completed", state.Status)
		}
		time.Sleep(10 * outboxLook)
		if n := len(l.sent(id, "order.placed")); n != 1 {
			t.Errorf("sent %d times, want once", n)
		}
		if n := l.backlog(); n != 1 {
			t.Errorf("%d messages in the outbox, want the one that cannot be removed", n)
		}
		other := in("r", Kafka)
		other.Number = 1
		if state := l.await(l.place(other, tea).id()); state.Status != Completed {
			t.Errorf("another order: %s, want completed", state.Status)
		}
		s.unremoved.Store(false)
		time.Sleep(2 * outboxLook)
		if n := l.backlog(); n != 0 {
			t.Errorf("%d messages in the outbox, want none", n)
		}
	})
}
