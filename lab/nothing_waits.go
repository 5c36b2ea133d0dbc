package lab

import (
	"context"

	"tracelab/services"
	"tracelab/services/flows"
)

// brokerWatches ask the brokers of a lab what waits there.
type brokerWatches struct {
	kafka    *brokerWatch
	rabbitmq *queueWatch
}

func newBrokerWatches(f *flows.Flow, config services.Config) brokerWatches {
	return brokerWatches{newBrokerWatch(f, config), newQueueWatch(config)}
}

// close ends the connections. Nothing is asked after it.
func (w brokerWatches) close() {
	w.kafka.close()
	w.rabbitmq.close()
}

// nothingWaits tells whether the services of this process are done with every message, so that they will make no other span of one. A broker that does
// not answer may have any. RabbitMQ does not count what a service was given and has not acknowledged: the service knows. It is asked last, since
// messages go from the broker to it.
func (w brokerWatches) nothingWaits(ctx context.Context, system *services.System) bool {
	return (w.kafka == nil || nothingIn(ctx, &w.kafka.question)) && (w.rabbitmq == nil || nothingIn(ctx, &w.rabbitmq.question)) && system.Held() == 0
}

func nothingIn[A interface{ waits() bool }](ctx context.Context, broker *question[A]) bool {
	state, err := broker.fresh(ctx)
	return err == nil && !state.waits()
}
