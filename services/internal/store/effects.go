// Package store keeps what a service remembers of its work: in memory, or in a file that outlives a restart.
package store

// Effects keeps notes of which handling of a step had its effect for a unit (an order), to tell a repeat from a first handling.
// Its methods may be called by several goroutines.
type Effects interface {
	// Find returns the handling that had the effect; 0 when none is noted.
	Find(unit, step string) (handling uint64, err error)
	// Put notes the handling that had the effect. When it returns, the note is as durable as the store.
	Put(unit, step string, handling uint64) error
	// Close closes the store.
	Close() error
}
