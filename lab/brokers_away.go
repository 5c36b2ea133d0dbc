package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"tracelab/services"
)

// findAway names the brokers that do not answer at the end of a run in which something waits in vain: else a reader sees what came of it alone.
// The embedded broker is away only when an event says so.
func (r *running) findAway(ctx context.Context) {
	if r.Target != "" || r.after.Forms != nil && !r.pending() {
		return
	}
	for _, broker := range []struct {
		name, task string
		addresses  []string
		ask        func(context.Context, []string, services.Network) error
	}{
		{"Kafka", "kafka", r.Kafka, func(ctx context.Context, addresses []string, network services.Network) error {
			_, err := askKafka(ctx, addresses, network)
			return err
		}},
		{"RabbitMQ", "rabbitmq", r.RabbitMQ, askRabbitMQ},
	} {
		if len(broker.addresses) == 0 {
			continue
		}
		if err := broker.ask(ctx, broker.addresses, r.Network); err != nil {
			r.away = append(r.away, fmt.Sprintf("the %s at %s is away: %s that need it wait or failed; start it again (task %s): %v",
				broker.name, strings.Join(broker.addresses, ", "), unitOf(r.Flow).many(), broker.task, err))
		}
	}
}

// askRabbitMQ tells whether one of these addresses speaks AMQP.
func askRabbitMQ(ctx context.Context, addresses []string, network services.Network) error {
	var errs []error
	for _, address := range addresses {
		err := askAMQP(ctx, address, network)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// askAMQP says hello, and waits for the begin of an answer.
func askAMQP(ctx context.Context, address string, network services.Network) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	dial := network.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing is said any more
	if err := conn.SetDeadline(time.Now().Add(askTimeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "AMQP\x00\x00\x09\x01"); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err
}
