package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/internal/testkit"
	"tracelab/services/flows"
	"tracelab/services/internal/store"
)

// troubled is a store with trouble at one of its operations: the nth of a kind is not done, or is done and its answer is lost.
type troubled struct {
	store.Store
	kind string // put, update, or update unanswered
	left *atomic.Int64
}

var errTroubled = errors.New("the store does not answer: injected by the test")

// now tells whether the operation is the one.
func (s troubled) now(kind string) bool { return s.kind == kind && s.left.Add(-1) == 0 }

// Put notes an effect of the last step, or fails.
func (s troubled) Put(ctx context.Context, unit, step string, handling uint64) (uint64, error) {
	if step == string(Complete) && s.now("put") {
		return 0, errTroubled
	}
	return s.Store.Put(ctx, unit, step, handling)
}

// Update changes a unit, or fails, or does both.
func (s troubled) Update(ctx context.Context, id string, change func(*store.Unit) (store.Sums, bool)) error {
	if s.now("update") {
		return errTroubled
	}
	if err := s.Store.Update(ctx, id, change); err != nil {
		return err
	}
	if s.now("update unanswered") {
		return errTroubled
	}
	return nil
}

// joinedByCalls is the flow order with a form in which messages lead to the branches, and each branch calls the join, again when that failed.
func joinedByCalls(t *testing.T) *flows.Flow {
	t.Helper()
	text, err := flows.Source("order")
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("orders.Complete: {"), []byte("orders.Complete: {retry: \"5 within 5s, backoff 10ms\", "), 1)
	f, err := flows.Parse("order.yaml", append(text, "  joined: {each: kafka, orders.Accept: grpc, orders.Complete: grpc}\n"...))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestARetriedCallToAJoin does the step, whenever the store was in trouble: a branch may have been counted by the call that failed.
func TestARetriedCallToAJoin(t *testing.T) {
	for _, kind := range testkit.Few(1, []string{"put", "update", "update unanswered"}) {
		t.Run(kind, func(t *testing.T) {
			trouble := troubled{NewStore(100).kept, kind, &atomic.Int64{}}
			inBubble(t, func(l *testLab) {
				for nth := range 14 {
					trouble.left.Store(int64(nth + 1))
					e := Experiment{Run: fmt.Sprint("run", nth), Form: "joined"}
					l.place(e, tea)
					time.Sleep(10 * time.Second)
					sums, err := trouble.Sums(l.Context(), e.Run)
					l.must(err)
					a := accountsOf(sums["joined"])
					for step, effect := range a.Effects {
						effect.Skipped = 0
						a.Effects[step] = effect
					}
					if diff := cmp.Diff(onceEach(), a.Effects); diff != "" || a.Completed != 1 || a.Failed != 0 {
						t.Errorf("the %d. %s: accounts %+v (-want +got):\n%s", nth+1, kind, a, diff)
					}
				}
			}, func(c *Config) {
				c.Store = newStore(trouble, 100)
				c.Flow = joinedByCalls(t)
			})
		})
	}
}
