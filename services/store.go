package services

import (
	"sync"

	"tracelab/services/internal/store"
)

// Store is what services remember: the state of orders, which steps have had their effect for which order, and messages that wait for a broker.
// Services that share one do each step of an order once among them. The zero value is not usable.
type Store struct {
	kept  store.Store
	units int // that it has room for

	mu      sync.Mutex
	working map[effectKey]chan struct{} // closed when the work that is going on has ended
}

// NewStore makes a store in memory that remembers so many orders: a process that is killed forgets.
func NewStore(orders int) *Store {
	return newStore(store.NewMemory(store.Limits{Units: orders, Effects: effectsLimit()}), orders)
}

// OpenStore opens a store in a file, which is made if it is not there: a process that is killed and started again goes on with what it knew. One
// process at a time can have it open.
func OpenStore(path string) (*Store, error) {
	kept, err := store.OpenBolt(path, store.Limits{Units: mostKept, Effects: mostEffects})
	if err != nil {
		return nil, err
	}
	return newStore(kept, mostKept), nil
}

func newStore(kept store.Store, units int) *Store {
	return &Store{kept: kept, units: units, working: map[effectKey]chan struct{}{}}
}

// Close closes the store. Closing nil does nothing.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.kept.Close()
}
