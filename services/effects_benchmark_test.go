package services

import (
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"tracelab/services/flows"
	"tracelab/services/internal/store"
)

// benchmarkStores are the kinds of stores.
func benchmarkStores(b *testing.B) map[string]*Store {
	b.Helper()
	stores := map[string]*Store{"memory": NewStore(mostOrders)}
	for name, address := range map[string]string{"file": filepath.Join(b.TempDir(), "store"), "postgres": postgresServer.URL(b)} {
		s, err := OpenStore(b.Context(), address, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		stores[name] = s
	}
	return stores
}

// sideBySide runs something as a service does its records: so many at the same time.
func sideBySide(b *testing.B, do func(n uint64) error) {
	var last atomic.Uint64
	b.SetParallelism(DefaultWorkers / 2)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(last.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkEffects is what idempotent handling adds to a step: the claim, the look for an earlier effect, and its note, on each kind of store, with
// 32 handlings side by side as a service has them. "repeat" finds an effect.
//
//	go test -run '^$' -bench Effects ./services
func BenchmarkEffects(b *testing.B) {
	for name, s := range benchmarkStores(b) {
		for what, repeat := range map[string]bool{"first": false, "repeat": true} {
			b.Run(name+"/"+what, func(b *testing.B) {
				prefix := uuid.NewString()
				sideBySide(b, func(n uint64) error {
					unit := prefix + strconv.FormatUint(n, 36)
					if repeat {
						unit = strconv.FormatUint(n%1000, 36)
					}
					claim, err := s.claim(b.Context(), effectKey{unit: unit, step: Charge})
					if err != nil {
						return err
					}
					defer claim.end()
					if claim.before == 0 {
						_, err = claim.note(b.Context(), n)
					}
					return err
				})
			})
		}
	}
}

// BenchmarkOrderState is what the state of an order of a message form costs from its acceptance to its completion, on each kind of store: with the
// outbox, its message is written and removed, too. 32 orders side by side.
//
//	go test -run '^$' -bench OrderState ./services
func BenchmarkOrderState(b *testing.B) {
	for name, s := range benchmarkStores(b) {
		l := newLedger(flows.Order(), s.kept, s.units)
		for what, outbox := range map[string]bool{"outbox": true, "no-outbox": false} {
			if outbox && name == "memory" { // it has none
				continue
			}
			b.Run(name+"/"+what, func(b *testing.B) {
				sideBySide(b, func(uint64) error {
					id := uuid.NewString()
					en, _, failed := l.begin(b.Context(), Experiment{Run: "r", Form: Kafka}, "", anOrder("", "tea-green", "1"), id)
					if failed != nil {
						return failed
					}
					with := acceptance{}
					if outbox {
						with.messages = []store.Message{{Key: id, Carrier: "kafka", Topic: "order.placed", Value: []byte("{}"), Since: time.Now()}}
					}
					if failed := l.accept(b.Context(), en, with); failed != nil {
						return failed
					}
					for _, branch := range branches {
						if _, _, err := l.arrive(b.Context(), arrivalOf(id, branch), joined); err != nil {
							return err
						}
					}
					if _, _, err := l.note(b.Context(), id, report{steps: []Step{Complete}}); err != nil {
						return err
					}
					if !outbox {
						return nil
					}
					waiting, err := s.kept.Waiting(b.Context(), 1) // 32 at a time remove what is there, as the relay does
					if err != nil || len(waiting) == 0 {
						return err
					}
					return s.kept.Remove(b.Context(), waiting[0].ID)
				})
			})
		}
	}
}
