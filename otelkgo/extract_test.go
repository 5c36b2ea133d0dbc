package otelkgo_test

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// TestExtractRecord: the record's own context and baggage replace what the context has, as they do in a process span; of a doubled traceparent the
// last counts.
func TestExtractRecord(t *testing.T) {
	in, err := otelkgo.New(otelkgo.WithPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})))
	if err != nil {
		t.Fatal(err)
	}
	other, err := baggage.Parse("of=batch")
	if err != nil {
		t.Fatal(err)
	}
	scope := trace.ContextWithSpanContext(baggage.ContextWithBaggage(context.Background(), other), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}}))
	ctx := in.ExtractRecord(scope, &kgo.Record{Headers: []kgo.RecordHeader{
		{Key: "traceparent", Value: []byte("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01")},
		{Key: "traceparent", Value: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")},
		{Key: "baggage", Value: []byte("of=record")},
	}})
	creation := trace.SpanContextFromContext(ctx)
	if creation.SpanID().String() != "b7ad6b7169203331" || !creation.IsRemote() || baggage.FromContext(ctx).Member("of").Value() != "record" {
		t.Errorf("creation context %v, baggage %v", creation, baggage.FromContext(ctx))
	}
	bare := in.ExtractRecord(scope, &kgo.Record{})
	if trace.SpanContextFromContext(bare).IsValid() || baggage.FromContext(bare).Len() != 0 {
		t.Error("a record without headers has the context of what was around it")
	}
}
