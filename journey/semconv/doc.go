// Package semconv is the one table of the attribute names that the judge reads: today's names of OpenTelemetry's semantic
// conventions for messaging, the names that they replaced, and the operations of messaging spans.
package semconv
