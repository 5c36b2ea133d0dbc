package tracecontext

import (
	"context"
	"reflect"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"
)

// The packages trace and baggage of OpenTelemetry keep their values in a
// context under private keys. This package learns the keys by letting them ask
// a context of its own. A context that answers to them itself needs fewer
// allocations than one made by their functions, and it parses baggage only when
// somebody asks. See docs/benchmarks.md for what that saves.
//
// When a key cannot be learned, it is nil. Extract then uses the functions of
// OpenTelemetry. All behavior stays the same, at more cost.

// spanKey is the key that trace.SpanFromContext asks for, or nil.
var spanKey = learnKey(
	trace.ContextWithSpan(context.Background(), noSpan),
	func(ctx context.Context) { trace.SpanFromContext(ctx) },
)

// baggageKey is the key that baggage.FromContext asks for, or nil.
var baggageKey = learnKey(
	baggage.ContextWithBaggage(context.Background(), baggage.Baggage{}),
	func(ctx context.Context) { baggage.FromContext(ctx) },
)

// learnKey returns the one key that get asks for, provided that full has a value
// under it; otherwise nil.
func learnKey(full context.Context, get func(context.Context)) any {
	probe := keyProbe{Context: context.Background()}
	get(&probe)
	if probe.asked != 1 || full.Value(probe.key) == nil {
		return nil
	}
	return probe.key
}

// keyProbe is an empty context that notes what it is asked for.
type keyProbe struct {
	context.Context
	key   any
	asked int
}

func (p *keyProbe) Value(key any) any {
	p.key = key
	p.asked++
	return nil
}

// mapAddress returns the address of the map that is the only field of a struct,
// or 0 for anything else and for a nil map.
//
// baggage.Baggage is such a struct, and its map never changes once it is made.
// So one address means the same members. Comparing the members themselves
// allocates more than writing the header anew.
func mapAddress(of any) uintptr {
	v := reflect.ValueOf(of)
	if v.Kind() != reflect.Struct || v.NumField() != 1 || v.Field(0).Kind() != reflect.Map {
		return 0
	}
	return v.Field(0).Pointer()
}
