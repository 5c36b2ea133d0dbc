package services

import (
	"context"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/kafka"
)

// DeadLetter is what a message among the dead letters says of itself.
type DeadLetter = carrier.Letter

// DeadLettersOf reads the dead letters of a topic on Kafka that no redrive has sent back yet, at most so many, and leaves them there. The topic
// is named without prefix and without .dlq.
func DeadLettersOf(ctx context.Context, config Config, topic string, most int) ([]DeadLetter, error) {
	return kafka.Letters(ctx, carrier.Redrive{Topic: topic, Most: most, Config: config.asRedriver()})
}

// UnreadOf is how many records on Kafka wait for the services, or are in their work: those that are not committed.
func UnreadOf(ctx context.Context, config Config) (int64, error) {
	f := config.flow()
	var readers []string
	for _, service := range f.Services() {
		if len(f.Consumes(service, flows.KafkaLog)) > 0 {
			readers = append(readers, service)
		}
	}
	return kafka.Unread(ctx, config.asRedriver(), readers, f.Topics())
}

func (c Config) asRedriver() carrier.BrokerConfig {
	return carrier.BrokerConfig{Service: Redriver, Addresses: c.Kafka, Prefix: c.Prefix, Dial: c.Network.Dial}
}
