package services

import (
	"net"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier/rabbitmq"
)

// Queues asks a RabbitMQ how many messages wait for each service.
type Queues = rabbitmq.Queues

// RabbitDeadLetters is the queue of a RabbitMQ's dead letters, without the configuration's prefix.
const RabbitDeadLetters = rabbitmq.DeadLetters

// NewQueues returns what asks the configuration's RabbitMQ for the queues of a flow's services; nil when it has none, or nothing comes over it.
func NewQueues(config Config) *Queues {
	f := config.flow()
	var consumers []string
	for _, service := range f.Services() {
		if len(f.Consumes(service, flows.RabbitMQ)) > 0 {
			consumers = append(consumers, service)
		}
	}
	if len(config.RabbitMQ) == 0 || len(consumers) == 0 {
		return nil
	}
	dial := config.Network.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return rabbitmq.NewQueues(dial, config.RabbitMQ, config.Prefix, consumers)
}
