package services

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/services/faults"
	"tracelab/services/internal/store"
)

// slowCreation is a store that holds the units which are added until it may go on.
type slowCreation struct {
	store.Store
	on <-chan struct{}
}

// Create adds a unit when it may.
func (s slowCreation) Create(ctx context.Context, u *store.Unit, sums store.Sums, messages ...store.Message) error {
	<-s.on
	return s.Store.Create(ctx, u, sums, messages...)
}

// TestAKilledEntryHoldsNothing: an order that the store takes while the entry's service is killed is known to be lost when the service is back.
func TestAKilledEntryHoldsNothing(t *testing.T) {
	at := filepath.Join(t.TempDir(), "store")
	synctest.Test(t, func(t *testing.T) {
		on := make(chan struct{})
		l := crashLab(t, at, false)
		l.config.Store.kept = slowCreation{l.config.Store.kept, on}
		l.start()
		defer l.endCrashLab()
		placed := l.placing(in("r", "ack"))
		time.Sleep(100 * time.Millisecond)
		n, err := l.system.find(Orders)
		l.must(err)
		l.system.crash(n)
		time.Sleep(100 * time.Millisecond)
		close(on)
		if a := <-placed.answer; a.status/100 == 2 {
			t.Errorf("answered %d", a.status)
		}
		a, err := l.settled("r", "ack")
		l.must(err)
		if a.Accepted != 1 || a.Lost != 1 {
			t.Errorf("accounts %+v, want one accepted and lost", a)
		}
	})
}

// TestAReplyIsNotLostWithItsProcess: the client's call ends with the process, and the order goes on by the messages that the store took with it.
func TestAReplyIsNotLostWithItsProcess(t *testing.T) {
	at := filepath.Join(t.TempDir(), "store")
	synctest.Test(t, func(t *testing.T) {
		l := crashLab(t, at, false)
		l.start()
		defer l.endCrashLab()
		l.must(l.system.Stop(l.Context(), Payment))
		e := in("r", "reply")
		e.Faults = []faults.Fault{{Service: Orders, Kind: faults.Crash, Value: faults.AfterStore, Share: 1}}
		if a := l.place(e, tea); a.status/100 == 2 {
			t.Errorf("answered %d", a.status)
		}
		time.Sleep(time.Second)
		l.awaitRestarts()
		lost, err := l.config.Store.kept.Lost(l.Context(), "r")
		l.must(err)
		if len(lost) != 0 {
			t.Errorf("lost: %v, want none", lost)
		}
		l.must(l.system.Start(l.Context(), Payment))
		if a, err := l.settled("r", "reply"); err != nil || a.Completed != 1 {
			t.Errorf("accounts %+v, %v, want it completed", a, err)
		}
	})
}
