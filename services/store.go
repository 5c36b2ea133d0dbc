package services

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"tracelab/internal/process"
	"tracelab/services/internal/store"
)

// Store is what services remember: the state of orders, which steps have had their effect for which order, and messages that wait for a broker.
// Services that share one do each step of an order once among them. The zero value is not usable.
type Store struct {
	kept  store.Store
	units int // that it has room for
	*claims
}

// claims are the steps that are worked on in this process.
type claims struct {
	mu      sync.Mutex
	working map[effectKey]chan struct{} // closed when the work that is going on has ended
	failed  map[effectKey]bool          // the unit has failed since that work began
}

// NewStore makes a store in memory that remembers so many orders: a process that is killed forgets.
func NewStore(orders int) *Store {
	return newStore(store.NewMemory(store.Limits{Units: orders, Effects: effectsLimit()}), orders)
}

// OpenStore opens a store that outlives the process, for one that is killed and started again to go on with what it knew. An address that begins
// with postgres:// is a PostgreSQL, which several processes may share; anything else is a file, which is made if it is not there and is one
// process's own. It waits for a PostgreSQL until ctx ends.
func OpenStore(ctx context.Context, address string, logger *slog.Logger) (*Store, error) {
	if err := CheckStore(address); err != nil {
		return nil, err
	}
	limits := store.Limits{Units: mostKept, Effects: mostEffects}
	if isPostgres(address) {
		kept, err := store.OpenPostgres(ctx, store.PostgresConfig{URL: address, Limits: limits, Logger: logger})
		if err != nil {
			return nil, err
		}
		return newStore(kept, mostKept), nil
	}
	kept, err := store.OpenBolt(address, limits)
	if err != nil {
		return nil, err
	}
	return newStore(kept, mostKept), nil
}

// CheckStore finds an address that OpenStore cannot take. Nothing is opened.
func CheckStore(address string) error {
	if isPostgres(address) {
		return store.CheckURL(address)
	}
	if scheme, _, ok := strings.Cut(address, "://"); ok {
		return fmt.Errorf("store %s://…: use a file, or postgres://USER:PASSWORD@HOST:PORT/DATABASE", scheme)
	}
	return nil
}

func isPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

func newStore(kept store.Store, units int) *Store {
	return &Store{kept: kept, units: units, claims: &claims{working: map[effectKey]chan struct{}{}, failed: map[effectKey]bool{}}}
}

// of is the store as a service sees it that may be killed.
func (s *Store) of(life *process.Process) *Store {
	return &Store{kept: mortal{s.kept, life, &writes{}}, units: s.units, claims: s.claims}
}

// Name says in words, without secrets, what store it is.
func (s *Store) Name() string { return s.kept.About().Name }

// Shared tells whether several processes may have it open.
func (s *Store) Shared() bool { return s.kept.About().Shared }

// Close closes the store. Closing nil does nothing.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.kept.Close()
}
