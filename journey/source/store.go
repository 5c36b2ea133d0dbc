package source

import (
	"context"
	"errors"
	"time"

	"tracelab/journey"
)

// ErrNotStored is in the errors of a Store that does not have what was asked for.
var ErrNotStored = errors.New("not stored")

// Store is a system from which traces can be fetched. Package journey/source/jaeger has one for Jaeger. A Store must be safe for
// use by several goroutines at a time.
type Store interface {
	// Trace returns the spans of a trace. The error is ErrNotStored when the store has none of them.
	Trace(ctx context.Context, id journey.TraceID) (Answer, error)
	// Search returns whole traces: those with a span that matches the query. No match is no error.
	Search(ctx context.Context, q Query) (Answer, error)
}

// Answer is what a Store found.
type Answer struct {
	Spans    []journey.Span
	Warnings []journey.Warning // D11 (what was lost on the way), D12 (the search stopped early) or P07 (remarks of the store)
}

// Query asks for traces with a span that meets every condition. An empty field is no condition.
type Query struct {
	Service     string
	Operation   string            // the span's name
	Attributes  map[string]string // of the span or its resource: each has this value as text
	Start, End  time.Time         // a span of the trace started at or after Start, and before End; both are required
	MinDuration time.Duration     // of the span
	MaxDuration time.Duration     // of the span
	Limit       int               // how many traces; 0 means DefaultSearchLimit
}

// DefaultSearchLimit is how many traces a search returns at most when its Query does not say: as many as the Jaeger UI allows.
const DefaultSearchLimit = 1500
