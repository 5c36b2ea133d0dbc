package services

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/baggage"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/kafka"
	"tracelab/services/internal/carrier/rabbitmq"
	"tracelab/services/internal/orderpb"
)

// SessionTimeout is how long a group keeps a service that was killed: so long its successor may wait for messages.
const SessionTimeout = kafka.SessionTimeout

// brokerKind is one product that carries messages.
type brokerKind struct {
	// addresses are where the configuration has it; none: it is not there.
	addresses func(Config) []string
	open      func(context.Context, Config, carrier.BrokerConfig) (carrier.Broker, error)
}

// brokerKinds lists what carries messages, by the name that a flow's file gives it.
func brokerKinds() map[flows.Carrier]brokerKind {
	return map[flows.Carrier]brokerKind{
		flows.KafkaLog: {
			addresses: func(c Config) []string { return c.Kafka },
			open: func(ctx context.Context, c Config, b carrier.BrokerConfig) (carrier.Broker, error) {
				broker, err := kafka.Open(ctx, kafka.Config{Kotel: c.Kotel, BrokerConfig: b})
				if err != nil {
					return nil, err // and no broker that is none
				}
				return broker, nil
			},
		},
		flows.RabbitMQ: {
			addresses: func(c Config) []string { return c.RabbitMQ },
			open: func(ctx context.Context, c Config, b carrier.BrokerConfig) (carrier.Broker, error) {
				broker, err := rabbitmq.Open(ctx, rabbitmq.Config{Classic: c.ClassicQueues, BrokerConfig: b})
				if err != nil {
					return nil, err
				}
				return broker, nil
			},
		},
	}
}

// connect joins the brokers that the flow's forms name and the configuration has. A broker delivers as soon as it is open, and what is done for its message
// may be sent by another one: the first messages wait until all are there, and are not finished when one cannot be.
func (n *node) connect(ctx context.Context, config Config) error {
	kinds := brokerKinds()
	all, tried := false, make(chan struct{})
	defer close(tried)
	for _, by := range n.flow.Carriers() {
		kind, ok := kinds[by]
		if !ok || len(kind.addresses(config)) == 0 {
			continue
		}
		broker, err := kind.open(ctx, config, carrier.BrokerConfig{
			Service: n.name, Addresses: kind.addresses(config), Prefix: config.Prefix, Topics: n.flow.Topics(), Consume: n.flow.Consumes(n.name, by), Consumers: n.flow.Consumers(by),
			Workers: n.recordsAtATime(config), Bounded: n.bounded(), Partitions: config.Partitions, Polls: config.Polls, Dial: n.life.Dial, Evict: config.Network.Dial, Provider: n.telemetry,
			Retried: retried(n.flow.Flow, n.name),
			Handle: func(ctx context.Context, topic string, event *orderpb.Event) error {
				if <-tried; !all {
					return carrier.ErrUnfinished
				}
				return n.receive(ctx, by, topic, event)
			},
			Batch: n.batches(by),
			Own:   n.replies(by),
			Relation: func(ctx context.Context) (parent, link bool) {
				// consume refuses an unknown relation; the span has to begin before that.
				relation, _ := relationOf(baggage.FromContext(ctx))
				return relation.refers()
			},
		})
		if err != nil {
			return err
		}
		n.brokers[by] = broker
	}
	all = true
	if n.keeper != nil && n.keeper.outbox != nil {
		n.keeper.outbox.start()
	}
	return nil
}

// batches says which messages the service handles together; nil: none of them.
func (n *node) batches(by flows.Carrier) func(context.Context, string) (carrier.Batch, bool) {
	if !slices.ContainsFunc(n.flow.Forms(), n.flow.HasBatches) {
		return nil
	}
	return func(ctx context.Context, topic string) (carrier.Batch, bool) {
		form := formOf(ctx, n.flow.Flow)
		batch, ok := n.flow.BatchOf(Form(form), by, n.name, topic)
		return carrier.Batch{Topic: topic, Form: form, Run: baggage.FromContext(ctx).Member(KeyRun).Value(), Size: batch.Size, Wait: batch.Wait}, ok
	}
}

// waiting lists the brokers whose messages do not arrive yet.
func (n *node) waiting() []string {
	var missing []string
	for _, by := range n.flow.Carriers() {
		if broker := n.brokers[by]; broker != nil && !broker.Ready() {
			missing = append(missing, string(by)+" group "+n.name)
		}
	}
	return append(missing, n.view.missing()...)
}
