package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/services/flows"
)

// rabbitPart is the RabbitMQ of a lab. It opens a connection for each check: one that found something missing is of no use any more.
type rabbitPart struct {
	addresses []string // host:port
	prefix    string   // of the services' queues
	services  []string // that consume, each from the queue of its name
}

// deadLetters is the queue with what no service can read.
const deadLetters = "tracelab.dead"

// connect dials the first address that answers. The error says what was seen.
func (r rabbitPart) connect(ctx context.Context) (*amqp.Connection, string, error) {
	once, cancel := withSpare(ctx)
	defer cancel()
	once, cancel = context.WithTimeout(once, oneAnswer)
	defer cancel()
	var seen []string
	for _, address := range r.addresses {
		properties := amqp.NewConnectionProperties()
		properties.SetClientConnectionName("tracelab-doctor")
		conn, err := amqp.DialConfig("amqp://guest:guest@"+address+"/", amqp.Config{Properties: properties, Dial: func(network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(once, network, address)
			if err != nil {
				return nil, err
			}
			deadline, _ := once.Deadline()
			return conn, conn.SetDeadline(deadline) // of the handshake
		}})
		if err == nil {
			return conn, address, nil
		}
		refusal, said := errors.AsType[*amqp.Error](err)
		switch {
		case said && refusal.Code == amqp.AccessRefused:
			seen = append(seen, address+": it refuses the user guest")
		default:
			seen = append(seen, address+": "+identify(ctx, address))
		}
	}
	return nil, "", errors.New(strings.Join(seen, "; "))
}

const fixRabbit = "start RabbitMQ (task rabbitmq), or name its address with --rabbitmq; a port that speaks something else is not its AMQP listener"

// reachable asks for the broker's version.
func (r rabbitPart) reachable(ctx context.Context) (_ nothing, seen string, _ error) {
	conn, address, err := r.connect(ctx)
	if err != nil {
		return nothing{}, "", brokenHop(fixRabbit, "%s", err.Error())
	}
	defer closeSoon(conn)
	product, _ := conn.Properties["product"].(string)
	version, _ := conn.Properties["version"].(string)
	return nothing{}, strings.TrimSpace(product+" "+version) + " at " + address, nil
}

// closeSoon ends a connection; the answer to its farewell is not worth waiting for long.
func closeSoon(conn *amqp.Connection) { _ = conn.CloseDeadline(time.Now().Add(oneAnswer / 3)) }

// queuesHaveConsumers checks that each service's queue is there and that the service consumes it.
func (r rabbitPart) queuesHaveConsumers(ctx context.Context) (_ nothing, seen string, _ error) {
	err := until(ctx, func(ctx context.Context) error {
		queues, err := r.queues(ctx)
		if err != nil {
			return err
		}
		for _, service := range r.services {
			if queues[service].Consumers == 0 {
				return brokenHop(fmt.Sprintf("start %s with --rabbitmq and this RabbitMQ's address, and the --prefix of the others; its log says what keeps it from consuming", service),
					"queue %s%s has no consumer", r.prefix, service)
			}
		}
		return nil
	})
	if err != nil {
		return nothing{}, "", err
	}
	return nothing{}, plural(len(r.services), "queue") + ", each with its service", nil
}

// queues asks for the services' queues.
func (r rabbitPart) queues(ctx context.Context) (map[string]amqp.Queue, error) {
	conn, _, err := r.connect(ctx)
	if err != nil {
		return nil, brokenHop(fixRabbit, "%s", err.Error())
	}
	defer closeSoon(conn)
	ch, err := conn.Channel()
	if err != nil {
		return nil, brokenHop("look at the log of RabbitMQ", "a channel: %s", err.Error())
	}
	found := map[string]amqp.Queue{}
	for _, service := range append(slices.Clone(r.services), deadLetters) {
		queue, err := ch.QueueDeclarePassive(r.prefix+service, true, false, false, false, nil)
		if err != nil {
			return nil, brokenHop("services make their queues when they start: start them with --rabbitmq and this RabbitMQ's address, and name their --prefix here, too, if they have one",
				"queue %s%s: %s", r.prefix, service, err.Error())
		}
		found[service] = queue
	}
	return found, nil
}

// queuesKeepUp checks how many messages wait in the queues, and, if many, whether they become fewer.
func (r rabbitPart) queuesKeepUp(ctx context.Context) (_ nothing, seen string, _ error) {
	started, err := r.queues(ctx)
	if err != nil {
		return nothing{}, "", err
	}
	now := started
	err = until(ctx, func(ctx context.Context) error {
		if now, err = r.queues(ctx); err != nil {
			return err
		}
		for _, service := range r.services {
			if n := now[service].Messages; n > fewRecords && n >= started[service].Messages {
				return brokenHop(fmt.Sprintf("%s handles fewer messages than arrive, or none: check its log, give it more --workers, or place fewer orders", service),
					"%d messages wait in queue %s%s, and %d did a moment ago", n, r.prefix, service, started[service].Messages)
			}
		}
		return nil
	})
	if err != nil {
		return nothing{}, "", err
	}
	most := 0
	for _, service := range r.services {
		most = max(most, now[service].Messages)
	}
	seen = "no queue has more than " + plural(most, "message")
	if n := now[deadLetters].Messages; n > 0 {
		seen += fmt.Sprintf("; %s that no service can read in %s%s", plural(n, "message"), r.prefix, deadLetters)
	}
	return nothing{}, seen, nil
}

// rabbitAnswers returns nil when a broker answers.
func rabbitAnswers(ctx context.Context, addresses []string) error {
	conn, _, err := rabbitPart{addresses: addresses}.connect(ctx)
	if err != nil {
		return err
	}
	closeSoon(conn)
	return nil
}

// rabbitOf is the RabbitMQ of a configuration.
func rabbitOf(c Config) rabbitPart {
	return rabbitPart{addresses: c.RabbitMQ, prefix: c.Prefix, services: slices.Sorted(maps.Keys(consumersBy(c.flow(), flows.RabbitMQ)))}
}

// checkRabbitMQ checks the broker and the services' queues, and places an order of the form that uses them most. Without an address there is
// nothing to see, not even that it was left out.
func (p *parts) checkRabbitMQ(ctx context.Context, w *walk, flow flowOutcomes, taken outcome[*placed]) {
	if len(p.config.RabbitMQ) == 0 {
		return
	}
	r := rabbitOf(p.config)
	form := messagesBy(p.config.flow(), flows.RabbitMQ)
	unused := ""
	if form == "" {
		unused = "no form of the flow " + p.config.flow().Name + " has messages there"
	}
	reachable := look(ctx, w, check{name: "rabbitmq", within: 2 * oneAnswer}, r.reachable)
	queues := look(ctx, w, check{name: "rabbitmq-queues", needs: []ended{reachable.ended, flow.services}, absent: unused, within: 2 * oneAnswer}, r.queuesHaveConsumers)
	lag := look(ctx, w, check{name: "rabbitmq-lag", needs: []ended{queues.ended}, absent: unused, within: 3 * oneAnswer}, r.queuesKeepUp)
	if form != "" {
		look(ctx, w, check{name: "order-" + string(form), needs: []ended{lag.ended}, within: orderWithin}, func(ctx context.Context) (*placed, string, error) {
			return p.order(ctx, form, taken.passed(), false)
		})
	}
}
