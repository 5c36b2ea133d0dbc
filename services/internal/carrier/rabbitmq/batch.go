package rabbitmq

import (
	"context"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
	"tracelab/services/internal/carrier"
)

// deliverInBatch passes a message on to those that are handled together with it. It reports false for one that is handled by itself.
func (r *Broker) deliverInBatch(d amqp.Delivery, of carrier.Delivery) bool {
	if r.config.Batch == nil {
		return false
	}
	own := r.config.Provider.Propagator.Extract(context.Background(), otelamqp.TableCarrier{Table: d.Headers})
	kind, ok := r.work.Batch(own, of.Topic)
	if !ok {
		return false
	}
	of.Message = d
	of.Process = func(ctx context.Context) (context.Context, func(error)) {
		return carrier.StartUnitOfBatch(ctx, own, r.config.Provider.Tracer)
	}
	if !r.work.TakeInBatch(of.Leaving, kind, of, func(outcome carrier.Outcome) { r.settle(d, outcome) }) {
		r.settle(d, carrier.Unfinished)
	}
	return true
}

// startBatch begins the process span of messages that are handled together: a root, with a link for each.
func (r *Broker) startBatch(ctx context.Context, of []carrier.Delivery) (context.Context, func(error)) {
	deliveries := make([]amqp.Delivery, len(of))
	for i, d := range of {
		deliveries[i] = d.Message.(amqp.Delivery)
	}
	ctx, process := r.in.StartProcessBatch(ctx, deliveries)
	return ctx, process.End
}
