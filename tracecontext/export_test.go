package tracecontext

import "testing"

// What the tests of the fallback need.
var (
	LearnKey   = learnKey
	MapAddress = mapAddress
)

// ForgetKeys makes the package work, until the test ends, as if it had not
// learned the keys that are named.
func ForgetKeys(tb testing.TB, span, baggage bool) {
	s, b := spanKey, baggageKey
	tb.Cleanup(func() { spanKey, baggageKey = s, b })
	if span {
		spanKey = nil
	}
	if baggage {
		baggageKey = nil
	}
}

// KeysKnown reports whether both keys were learned.
func KeysKnown() bool { return spanKey != nil && baggageKey != nil }
