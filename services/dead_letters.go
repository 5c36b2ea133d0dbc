package services

import (
	"context"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/kafka"
)

// DeadLetter is what a dead letter says about itself.
type DeadLetter = carrier.Letter

// DeadLetters is what the name of a topic's dead letters ends with.
const DeadLetters = carrier.DeadLetters

// DeadLettersOf reads the dead letters of a topic on Kafka that no redrive has sent back, up to most of them, and leaves them there. The topic
// is named without prefix and without .dlq.
func DeadLettersOf(ctx context.Context, config Config, topic string, most int) ([]DeadLetter, error) {
	return kafka.Letters(ctx, carrier.Redrive{Topic: topic, Most: most, Config: config.asRedriver()})
}

// UnreadOf returns how many records on Kafka the services have not committed: they wait, or are being handled.
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
