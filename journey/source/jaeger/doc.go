// Package jaeger fetches traces from Jaeger's stable query API, api/v3, over HTTP and over gRPC, for package journey.
//
//	address, err := jaeger.ParseAddress("http://localhost:16686/trace/0af7651916cd43dd8448eb211c80319c", time.Now())
//	store, err := jaeger.Open(address.Base)
//	defer store.Close()
//	result, err := store.Trace(ctx, address.Traces[0])
//	set := journey.NewSet(result.Spans)
//
// What can go wrong is an *Error, whose Kind tells a Jaeger that is down from one that is slow, from one that does not have
// the trace, and so on. source.Complete asks it for what a set of spans refers to and does not have.
//
// The API that the Jaeger UI used before (/api/traces?service=, /api/services, /api/operations) is deliberately not asked:
// Jaeger has removed it.
package jaeger
