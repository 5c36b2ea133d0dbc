//go:build linux || darwin

package stack

import (
	"context"

	"tracelab/internal/broker"
)

// What the topic of spans gets: Kafka's brokers make none by themselves here. A record may be as large as a request that the Collector takes, and a
// little more.
const (
	inputPartitions = 8
	inputMaxBytes   = 5 << 20
)

// makeInput makes the topic that the Collector writes spans to.
func (p plan) makeInput(ctx context.Context, kafka string) error {
	return broker.MakeTopic(ctx, kafka, p.variable("COLLECTOR_KAFKA_TOPIC"), inputPartitions, inputMaxBytes)
}
