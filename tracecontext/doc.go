// Package tracecontext propagates W3C Trace Context level 2 and W3C Baggage for
// OpenTelemetry Go, over any carrier, as the specifications say:
//
//	p := tracecontext.New(tracecontext.WithLogger(logger))
//	otel.SetTextMapPropagator(p)
//
// A carrier that implements [propagation.ValuesGetter] shows every header with
// a key: a doubled traceparent is then refused, and several tracestate or
// baggage headers are joined. A carrier without it shows only the first.
//
// Everything refused is counted by [Reason]. With a logger it is also logged, at
// most once a minute. A refused traceparent leaves the context as it was, so the
// next span starts a new trace.
//
// [trace.TraceState] takes the keys of level 1. Members with other keys travel
// in the context, and only spans of the same trace pass them on.
//
// The specifications are https://www.w3.org/TR/trace-context-2/ and
// https://www.w3.org/TR/baggage/.
package tracecontext
