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

	"tracelab/services"
	"tracelab/services/flows"
)

// rabbitPart is the RabbitMQ of a lab. It opens a connection for each check: one that found something missing is of no use any more.
type rabbitPart struct {
	addresses []string // host:port
	prefix    string   // of the services' queues
	services  []string // that consume, each from the queue of its name
}

// What services make there besides their queues: the exchange that they send to, and the queue with what none of them can handle.
const (
	exchange    = "tracelab"
	deadLetters = "tracelab.dead"
)

// connect dials the first address that answers. The error is a *broken: it says what was seen at each.
func (r rabbitPart) connect(ctx context.Context) (*amqp.Connection, string, error) {
	once, cancel := withSpare(ctx)
	defer cancel()
	once, cancel = context.WithTimeout(once, oneAnswer)
	defer cancel()
	var seen []string
	fix := fixRabbit
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
		switch refusal, said := errors.AsType[*amqp.Error](err); {
		case said && (refusal.Code == amqp.NotAllowed || errors.Is(err, amqp.ErrVhost)):
			seen, fix = append(seen, address+": it has no vhost / for the user guest"), fixVhost
		case said && refusal.Code == amqp.AccessRefused:
			seen, fix = append(seen, address+": it refuses the user guest with the password guest"), fixUser
		default:
			seen = append(seen, address+": "+identify(ctx, address))
		}
	}
	return nil, "", brokenHop(fix, "%s", strings.Join(seen, "; "))
}

// What to do about a broker that is away, or that lets nobody in.
const (
	fixRabbit = "start RabbitMQ (task rabbitmq), or name its address with --rabbitmq; a port that speaks something else is not its AMQP listener"
	fixUser   = "services log in as guest, password guest: give that user this password again (rabbitmqctl change_password guest guest); from other machines it may come only with loopback_users empty"
	fixVhost  = "services use the vhost /: make it and let guest in (rabbitmqctl add_vhost /; rabbitmqctl set_permissions -p / guest '.*' '.*' '.*')"
)

// reachable asks for the broker's version.
func (r rabbitPart) reachable(ctx context.Context) (_ nothing, seen string, _ error) {
	conn, address, err := r.connect(ctx)
	if err != nil {
		return nothing{}, "", err
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

// queues asks for the exchange and the services' queues.
func (r rabbitPart) queues(ctx context.Context) (map[string]amqp.Queue, error) {
	conn, _, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer closeSoon(conn)
	ch, err := conn.Channel()
	if err != nil {
		return nil, brokenHop("look at the log of RabbitMQ", "a channel: %s", err.Error())
	}
	if err := ch.ExchangeDeclarePassive(r.prefix+exchange, amqp.ExchangeTopic, true, false, false, false, nil); err != nil {
		return nil, r.missing("exchange", exchange, err)
	}
	found := map[string]amqp.Queue{}
	for _, service := range append(slices.Clone(r.services), deadLetters) {
		queue, err := ch.QueueDeclarePassive(r.prefix+service, true, false, false, false, nil)
		if err != nil {
			return nil, r.missing("queue", service, err)
		}
		found[service] = queue
	}
	return found, nil
}

// missing says what to do about an exchange or a queue that cannot be looked at.
func (r rabbitPart) missing(kind, name string, err error) error {
	fix := "services make their exchange and queues when they start: start them with --rabbitmq and this RabbitMQ's address, and name their --prefix here, too, if they have one"
	if refusal, said := errors.AsType[*amqp.Error](err); said && refusal.Code == amqp.AccessRefused {
		fix = fixVhost
	}
	return brokenHop(fix, "%s %s%s: %s", kind, r.prefix, name, err.Error())
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

// stuck says what is seen of an order that hangs: AMQP tells how many messages wait in a queue, and nothing of those that a service has.
func (r rabbitPart) stuck(ctx context.Context, o *placed, state services.State) error {
	queues, err := r.queues(ctx)
	if err != nil {
		return err
	}
	var waiting []string
	for _, service := range r.services {
		if n := queues[service].Messages; n > 0 {
			waiting = append(waiting, fmt.Sprintf("%s in queue %s%s", plural(n, "message"), r.prefix, service))
		}
	}
	if len(waiting) > 0 {
		return brokenHop("look at the log of the service that the queue is named after: it takes no messages, or does not finish them",
			"order %s is %s; done: %s; %s", o.id, state.Status, doneSteps(state), commas(waiting))
	}
	return brokenHop("look at the logs of "+commas(r.services)+": one has the message and does not finish it; or it could not send the next one, and its log says that rabbitmq did not take a message: "+
		"then no queue takes that topic, and the service that consumes it binds its queue when it is started again",
		"order %s is %s; done: %s; no message waits in a queue", o.id, state.Status, doneSteps(state))
}

// rabbitForm is the form of the probe order that RabbitMQ carries; "" where the flow has none, or there is no RabbitMQ.
func (c Config) rabbitForm() services.Form {
	if len(c.RabbitMQ) == 0 {
		return ""
	}
	return messagesBy(c.flow(), flows.RabbitMQ)
}

// checkRabbitMQ checks the broker. As it comes before the services, which wait for it, its name comes first. Without an address there is nothing
// to see, not even that it was left out.
func (p *parts) checkRabbitMQ(ctx context.Context, w *walk) ended {
	if len(p.config.RabbitMQ) == 0 {
		return ended{}
	}
	return look(ctx, w, check{name: "rabbitmq", within: 2 * oneAnswer}, rabbitOf(p.config).reachable).ended
}

// checkQueues checks the services' queues and places an order of the form that uses them most.
func (p *parts) checkQueues(ctx context.Context, w *walk, flow flowOutcomes, taken outcome[*placed]) outcome[*placed] {
	if len(p.config.RabbitMQ) == 0 {
		return outcome[*placed]{}
	}
	r, form := rabbitOf(p.config), p.config.rabbitForm()
	unused := ""
	if form == "" {
		unused = "no form of the flow " + p.config.flow().Name + " has messages there"
	}
	queues := look(ctx, w, check{name: "rabbitmq-queues", needs: []ended{flow.rabbitmq, flow.services}, absent: unused, within: 2 * oneAnswer}, r.queuesHaveConsumers)
	lag := look(ctx, w, check{name: "rabbitmq-lag", needs: []ended{queues.ended}, absent: unused, within: 3 * oneAnswer}, r.queuesKeepUp)
	if form == "" {
		return outcome[*placed]{}
	}
	return look(ctx, w, check{name: "order-" + string(form), needs: []ended{lag.ended}, within: orderWithin}, func(ctx context.Context) (*placed, string, error) {
		return p.order(ctx, form, taken.passed(), false)
	})
}
