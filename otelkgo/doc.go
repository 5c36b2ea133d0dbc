// Package otelkgo traces and measures github.com/twmb/franz-go (kgo) clients
// by the OpenTelemetry semantic conventions for messaging, version 1.43
// (in development there: names may still change).
//
// One Instrumentation serves any number of clients. Each client gets its own
// set of hooks, from which the package learns the client id and the consumer
// group:
//
//	in, err := otelkgo.New(otelkgo.WithTracerProvider(tp), otelkgo.WithPropagator(p))
//	cl, err := kgo.NewClient(kgo.WithHooks(in.Hooks()...), …)
//
//	cl.Produce(ctx, record, nil)                 // span "send T", until the acknowledgement
//
//	fetches := in.PollFetches(ctx, cl)           // span "poll T", only when records came
//	fetches.EachRecord(func(r *kgo.Record) {
//		err := in.Process(ctx, r, handle)        // span "process T", current in handle
//	})
//	err := in.CommitOffsets(ctx, cl, offsets)    // span "commit T"
//
// A record that was fetched but not polled has no span, and a poll span is
// never the parent of a process span: one poll serves many traces.
//
// How a process span refers to the span that sent its record is the Relation.
package otelkgo
