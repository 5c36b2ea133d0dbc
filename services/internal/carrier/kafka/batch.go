package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
)

// unitOfBatch is the span of one record within its batch. It has the record's baggage, and a link to the span that sent the record: what it
// causes belongs to the journey of that record, not to those of the whole batch.
const unitOfBatch = "unit of batch"

// deliverInBatch passes a record on to those that are handled together with it. It reports false for one that is handled by itself. With kotel all
// are: it has no span for a batch.
func (k *Broker) deliverInBatch(ctx context.Context, d carrier.Delivery, ended func(finished bool)) bool {
	made, ok := k.spans.(otelkgoSpans)
	if !ok || k.config.Batch == nil {
		return false
	}
	r := d.Message.(*kgo.Record)
	own := made.in.ExtractRecord(context.Background(), r)
	kind, ok := k.work.Batch(own, d.Topic)
	if !ok {
		return false
	}
	d.Process = func(ctx context.Context) (context.Context, func(error)) {
		ctx, end := k.processInBatch(ctx, own)
		k.recorded(ctx, r)
		return ctx, end
	}
	if !k.work.TakeInBatch(ctx, kind, d, func(o carrier.Outcome) { ended(o == carrier.Finished) }) {
		ended(false)
	}
	return true
}

// startBatch begins the process span of records that are handled together: a root, with a link for each.
func (k *Broker) startBatch(ctx context.Context, of []carrier.Delivery) (context.Context, func(error)) {
	made, ok := k.spans.(otelkgoSpans)
	if !ok {
		return ctx, func(error) {}
	}
	records := make([]*kgo.Record, len(of))
	for i, d := range of {
		records[i] = d.Message.(*kgo.Record)
	}
	ctx, process := made.in.StartProcessBatch(ctx, records)
	return ctx, process.End
}

// processInBatch begins the span of one record within its batch, which is current in ctx. Own has the record's context and baggage.
func (k *Broker) processInBatch(ctx, own context.Context) (context.Context, func(error)) {
	var links []trace.Link
	if creation := trace.SpanContextFromContext(own); creation.IsValid() {
		links = append(links, trace.Link{SpanContext: creation})
	}
	ctx, span := k.config.Provider.Tracer.Start(baggage.ContextWithBaggage(ctx, baggage.FromContext(own)), unitOfBatch, trace.WithLinks(links...)) //nolint:spancheck // the function that is returned ends it
	return ctx, func(err error) {                                                                                                                  //nolint:spancheck // it ends the span
		if err != nil {
			telemetry.MarkFailed(span, carrier.AsFailed("", err).Reason(), err)
		}
		span.End()
	}
}
