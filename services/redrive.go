package services

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/baggage"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/kafka"
	"tracelab/services/internal/carrier/rabbitmq"
)

// Redriver is the name under which dead letters are sent back: of its spans, and of the group that notes how far it came.
const Redriver = "redrive"

// SentBack is what became of the dead letters of one broker.
type SentBack = carrier.SentBack

// Redrive sends up to most dead letters of a topic back to where they came from, on each broker of the configuration, and returns what became of
// those of each, also beside an error. The topic is named without prefix, with or without .dlq. What comes to the dead letters meanwhile is left there.
//
// The service that had given a message up handles it again, and others that read its topic pass it over. Its attempts and their links go on where
// they had ended; their number begins anew. An order that has failed of it is pending again when the failed step is done, and completes as if it
// had been done at once; its client was told otherwise.
//
// In a flow that undoes steps an order that has failed begins anew from its entry step on, as another generation: what an undo may have taken back is
// done again, with effect once in each generation, and what else was done is skipped. An order that has not failed in spite of its dead letter, or has
// begun anew since, stays as it is.
func Redrive(ctx context.Context, config Config, topic string, most int) (map[flows.Carrier]SentBack, error) {
	if most < 1 {
		return nil, fmt.Errorf("redrive at most %d messages: use 1 or more", most)
	}
	provider, err := config.Telemetry.New(Redriver)
	if err != nil {
		return nil, err
	}
	redrive := carrier.Redrive{Topic: strings.TrimSuffix(topic, carrier.DeadLetters), Most: most, Config: carrier.BrokerConfig{
		Service: Redriver, Prefix: config.Prefix, Dial: config.Network.Dial, Provider: provider,
		Relation: func(ctx context.Context) (parent, link bool) {
			relation, _ := relationOf(baggage.FromContext(ctx)) // the services refuse an unknown one
			return relation.refers()
		},
	}}
	done := map[flows.Carrier]SentBack{}
	var errs []error
	for _, broker := range []struct {
		by        flows.Carrier
		addresses []string
		redrive   func(context.Context, carrier.Redrive) (SentBack, error)
	}{{flows.KafkaLog, config.Kafka, kafka.Redrive}, {flows.RabbitMQ, config.RabbitMQ, rabbitmq.Redrive}} {
		if len(broker.addresses) == 0 {
			continue
		}
		redrive.Config.Addresses = broker.addresses
		var err error
		done[broker.by], err = broker.redrive(ctx, redrive)
		errs = append(errs, err)
	}
	return done, errors.Join(errs...)
}
