package tracecontext

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/baggage"
)

// lazyBaggage is a context with a baggage header that is parsed when somebody
// first asks for the baggage, or sends it on. A link to another trace, or a hop
// that ends there, never asks.
type lazyBaggage struct {
	context.Context
	raw      string
	refusals *Refusals

	once  sync.Once
	value any // what the context has under baggageKey
	bag   baggage.Baggage
	clean bool // raw says exactly what bag says
}

// init fills in a lazyBaggage that is part of a larger allocation.
func (l *lazyBaggage) init(ctx context.Context, raw string, refusals *Refusals) {
	l.Context, l.raw, l.refusals = ctx, raw, refusals
}

type lazyKey struct{}

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

// parsedBaggage returns ctx with the baggage of raw, or ctx as it is when raw
// has none. It needs no baggageKey.
func parsedBaggage(ctx context.Context, raw string, refusals *Refusals) context.Context {
	bag, clean := refusals.parseBaggage(raw)
	if bag.Len() == 0 {
		return ctx
	}
	l := &lazyBaggage{Context: baggage.ContextWithBaggage(ctx, bag), raw: raw, bag: bag, clean: clean}
	l.once.Do(func() {}) // there is nothing left to parse
	return l
}

// unchanged returns the header that bag came from, if bag is what Extract found
// and nothing in it was refused. The caller got bag from ctx.
func unchanged(ctx context.Context, bag baggage.Baggage) (string, bool) {
	l, ok := ctx.Value(lazyKey{}).(*lazyBaggage)
	if !ok {
		return "", false
	}
	l.once.Do(l.parse)
	if address := mapAddress(bag); !l.clean || address == 0 || address != mapAddress(l.bag) {
		return "", false
	}
	return l.raw, true
}
