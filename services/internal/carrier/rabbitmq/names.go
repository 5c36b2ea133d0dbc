package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
	"tracelab/services/internal/carrier"
)

// DeadLetters is the name of the queue of dead letters, without a prefix.
const DeadLetters = "tracelab.dead"

const (
	exchange      = "tracelab"  // its routing keys are the topics
	deadLetters   = DeadLetters // an exchange and its queue
	deliveryLimit = 20          // of a message on a quorum queue, before it goes to the dead letters
	queueBytes    = 64 << 20    // of one queue: then the broker takes no more for it, and the publisher waits
)

// names are those of exchanges and queues, with the prefix of a run.
type names struct {
	prefix string
	group  string // of the topics of which this instance gets every message; empty: there are none
}

func (n names) exchange() string            { return n.prefix + exchange }
func (n names) deadLetters() string         { return n.prefix + deadLetters }
func (n names) queue(service string) string { return n.prefix + service }
func (n names) own() string                 { return n.prefix + n.group }

// template is a destination's name without the prefix, since there are many runs, and without the queue of an instance alone.
func (n names) template(d otelamqp.Destination) string {
	if n.group != "" && strings.HasPrefix(d.Queue, n.own()+".") {
		d.Queue = ""
	}
	d.Exchange, d.Queue = strings.TrimPrefix(d.Exchange, n.prefix), strings.TrimPrefix(d.Queue, n.prefix)
	return d.String()
}

// declare makes what is missing: the exchange, a queue for each service that consumes a topic, and the dead letters.
func (r *Broker) declare(ch *amqp.Channel) error {
	err := errors.Join(
		ch.ExchangeDeclare(r.names.exchange(), amqp.ExchangeTopic, true, false, false, false, nil),
		ch.ExchangeDeclare(r.names.deadLetters(), amqp.ExchangeFanout, true, false, false, false, nil))
	if err != nil {
		return fmt.Errorf("declare exchange %s: %w", r.names.exchange(), err)
	}
	if err := r.queue(ch, r.names.deadLetters(), nil, r.names.deadLetters(), ""); err != nil {
		return err
	}
	for service, topics := range r.consumers() {
		if err := r.queue(ch, r.names.queue(service), amqp.Table{"x-dead-letter-exchange": r.names.deadLetters()}, r.names.exchange(), topics...); err != nil {
			return err
		}
	}
	return nil
}

// consumers lists the topics that each service consumes.
func (r *Broker) consumers() map[string][]string {
	services := map[string][]string{}
	if len(r.config.Consume) > 0 {
		services[r.config.Service] = slices.Clone(r.config.Consume)
	}
	for topic, consumers := range r.config.Consumers {
		for _, service := range consumers {
			if !slices.Contains(services[service], topic) {
				services[service] = append(services[service], topic)
			}
		}
	}
	return services
}

// queue declares a queue that takes what comes to the exchange under the keys.
func (r *Broker) queue(ch *amqp.Channel, name string, args amqp.Table, exchange string, keys ...string) error {
	all := amqp.Table{"x-queue-type": "quorum", "x-max-length-bytes": int64(queueBytes), "x-overflow": "reject-publish"}
	if r.config.Classic {
		all["x-queue-type"] = "classic"
	} else {
		all["x-delivery-limit"] = int64(deliveryLimit)
	}
	for key, value := range args {
		all[key] = value
	}
	if _, err := ch.QueueDeclare(name, true, false, false, false, all); err != nil {
		return fmt.Errorf("declare queue %s: %w", name, err)
	}
	for _, key := range keys {
		if err := ch.QueueBind(name, key, exchange, false, nil); err != nil {
			return fmt.Errorf("bind queue %s to %s of %s: %w", name, key, exchange, err)
		}
	}
	return nil
}

// isComing reports whether a broker refuses a queue that it is about to have: it elects the leader, or has the name and not the process yet.
func isComing(err error) bool {
	refusal, ok := errors.AsType[*amqp.Error](err)
	return ok && (refusal.Code == amqp.InternalError || refusal.Code == amqp.NotFound && strings.Contains(refusal.Reason, "down or inaccessible"))
}

// isMissing reports whether a broker has no such queue.
func isMissing(err error) bool {
	refusal, ok := errors.AsType[*amqp.Error](err)
	return ok && refusal.Code == amqp.NotFound && !isComing(err)
}

// Remove deletes the exchanges and the queues of the services, given without their prefix, from a broker. What is not there is no error.
func Remove(ctx context.Context, dial carrier.Dial, addresses []string, prefix string, services []string) error {
	conn, err := dialAny(ctx, dial, addresses, "tracelab cleanup")
	if err != nil {
		return fmt.Errorf("delete the run's queues (prefix %s): %w", prefix, err)
	}
	defer func() { _ = conn.CloseDeadline(time.Now().Add(closeTimeout)) }() // its work is done
	ch, err := conn.Channel()
	if err != nil {
		return fmt.Errorf("delete the run's queues (prefix %s): %w", prefix, err)
	}
	n := names{prefix: prefix}
	var errs []error
	for _, service := range services {
		if _, err := ch.QueueDelete(n.queue(service), false, false, false); err != nil {
			errs = append(errs, fmt.Errorf("delete queue %s: %w", n.queue(service), err))
		}
	}
	_, dead := ch.QueueDelete(n.deadLetters(), false, false, false)
	return errors.Join(append(errs, dead, ch.ExchangeDelete(n.exchange(), false, false), ch.ExchangeDelete(n.deadLetters(), false, false))...)
}
