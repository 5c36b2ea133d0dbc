// Package tracecontext has strict W3C propagators for OpenTelemetry Go: Trace
// Context level 2 and Baggage, over any carrier.
//
//	p := tracecontext.New(tracecontext.WithLogger(logger))
//	otel.SetTextMapPropagator(p)
//
// A carrier that implements propagation.ValuesGetter shows all values of a
// header, so a doubled traceparent is refused and several tracestate or baggage
// headers are joined. A carrier without it shows the first one only.
//
// Whatever is refused is counted by Reason and, given a logger, reported at
// most once a minute. A refused traceparent leaves the context as it was, so
// the next span starts a new trace.
//
// Specifications: https://www.w3.org/TR/trace-context-2/ and
// https://www.w3.org/TR/baggage/.
package tracecontext
