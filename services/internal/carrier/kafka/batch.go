package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/services/internal/carrier"
)

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
		ctx, end := carrier.StartUnitOfBatch(ctx, own, k.config.Provider.Tracer)
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
