package tracecontext

import (
	"context"
	"reflect"
	"sync"

	"go.opentelemetry.io/otel/baggage"
)

// lazyBaggage is a context with a baggage header that nobody has asked for yet.
//
// baggage.FromContext asks a context for a value by a key of its own. The
// first time, lazyBaggage parses the header, lets baggage.ContextWithBaggage
// make the value that belongs to the key, and keeps it.
type lazyBaggage struct {
	context.Context
	raw      string
	refusals *Refusals

	once  sync.Once
	value any // of baggageKey
	bag   baggage.Baggage
	clean bool // raw says exactly what bag says
}

// over fills in a lazyBaggage that is part of something larger.
func (b *lazyBaggage) over(ctx context.Context, raw string, refusals *Refusals) {
	b.Context, b.raw, b.refusals = ctx, raw, refusals
}

type lazyKey struct{}

// baggageKey is the key by which baggage.FromContext asks, learnt by letting
// it ask; nil, and then Extract parses at once, should it not ask like that.
var baggageKey = func() any {
	var probe keyProbe
	baggage.FromContext(&probe)
	return probe.key
}()

type keyProbe struct {
	context.Context
	key any
}

func (p *keyProbe) Value(key any) any {
	p.key = key
	return nil
}

func (l *lazyBaggage) Value(key any) any {
	switch key {
	case baggageKey:
		l.once.Do(l.parse)
		return l.value
	case lazyKey{}:
		return l
	}
	return l.Context.Value(key)
}

func (l *lazyBaggage) parse() {
	l.bag, l.clean = l.refusals.parseBaggage(l.raw)
	if l.bag.Len() == 0 {
		l.value = l.Context.Value(baggageKey)
		return
	}
	l.value = baggage.ContextWithBaggage(l.Context, l.bag).Value(baggageKey)
}

// unchanged returns the header that bag came from, if bag is what Extract found
// and nothing in it was refused. The caller got bag from ctx.
func unchanged(ctx context.Context, bag baggage.Baggage) (string, bool) {
	l, ok := ctx.Value(lazyKey{}).(*lazyBaggage)
	if !ok {
		return "", false
	}
	l.once.Do(l.parse)
	if !l.clean || identity(bag) == 0 || identity(bag) != identity(l.bag) {
		return "", false
	}
	return l.raw, true
}

// identity returns the address of the map inside a Baggage, which is never
// changed once made: the same map has the same members. It is 0 for an empty
// one, or should Baggage be built differently one day.
func identity(b baggage.Baggage) uintptr {
	v := reflect.ValueOf(b)
	if v.NumField() != 1 || v.Field(0).Kind() != reflect.Map {
		return 0
	}
	return v.Field(0).Pointer()
}
