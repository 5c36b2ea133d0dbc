// Package store is what a service remembers of its work: in memory, or in a file that a restart finds again.
package store

// Effects notes which handling of a step had its effect for a unit (an order), so that a repeat can be told from a first
// handling. Methods may be called side by side.
type Effects interface {
	// Find returns the handling that had the effect; 0 when none is noted.
	Find(unit, step string) (handling uint64, err error)
	// Put notes the handling that had the effect. When it returns, the note survives whatever the store survives.
	Put(unit, step string, handling uint64) error
	// Close gives the store back.
	Close() error
}
