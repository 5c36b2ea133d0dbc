package services

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"google.golang.org/grpc/backoff"

	carriergrpc "tracelab/services/internal/carrier/grpc"
	carrierhttp "tracelab/services/internal/carrier/http"
	"tracelab/services/internal/carrier/kafka"
	"tracelab/services/internal/carrier/rabbitmq"

	"go.opentelemetry.io/otel/propagation"

	"tracelab/internal/telemetry"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/tracecontext"
)

// ClientSpanName names the span of an HTTP request to a fixed path: POST /orders.
func ClientSpanName(operation string, r *http.Request) string {
	return carrierhttp.ClientSpanName(operation, r)
}

// Propagator carries trace context and baggage over every hop. What it refuses it counts, and logs once a minute at
// the most.
func Propagator(logger *slog.Logger) propagation.TextMapPropagator {
	return tracecontext.New(tracecontext.WithLogger(logger))
}

// BaggageKeys are the baggage members that may become span attributes.
func BaggageKeys() []string {
	return []string{KeyRun, KeyForm, KeyNumber, KeyOrderID}
}

// Config says which services run here and how they find each other.
type Config struct {
	Services []string
	// Instances is how many instances of a service run here, by its name, each with addresses and a place in the consumer group of its own; 1
	// unless said. See CheckInstances.
	Instances map[string]int
	Flow      *flows.Flow // what they do; nil: order
	// Forms are those that orders will have: a view is kept and fed for one that reads it; nil: all of the flow's.
	Forms []Form
	// HTTP and GRPC are host:port of every service, the ones elsewhere too. One that runs here and is missing, or whose
	// port is 0, gets a free port on 127.0.0.1.
	HTTP, GRPC map[string]string
	Kafka      []string // host:port of the brokers; none: no messages by Kafka
	RabbitMQ   []string // host:port of its nodes; none: no messages by RabbitMQ
	Prefix     string   // of topics, groups, exchanges and queues, on a broker that others use too
	Partitions int      // of a topic that is made at Kafka; 0: 8
	Workers    int      // messages of a broker that a service works on at the same time
	// WorkersOf is how many calls and messages a service works on at a time, by its name, in the place of what the flow says.
	WorkersOf map[string]int
	// ClassicQueues makes classic queues at RabbitMQ instead of quorum queues.
	ClassicQueues bool
	// Mailbox is how many orders the service that keeps the accounts carries on with after it has answered, waiting ones among them; 0:
	// DefaultMailbox. Workers of them at a time are worked on.
	Mailbox int
	// Connections is how many connections each server of a service has at a time; 0: as many as the memory limit allows.
	Connections int
	// Remembered is how many orders the orders service remembers; 0: as many as the memory limit allows. Beyond it, orders
	// forgets the oldest final ones, which stay in the sums.
	Remembered int
	// Effects is how many steps each service in memory remembers to have done, at least, so that it skips them when their message comes again; it holds
	// up to twice as many. 0: as many as the memory limit allows.
	Effects int
	// Polls makes spans of polls and commits, too: roots of their own, of several orders or none. Those that fail always have one.
	Polls bool
	// AllowFaults makes the services act on the faults that an order carries.
	AllowFaults bool
	// Die ends this process when a fault makes a service crash, as kill -9 does. Nil: the service alone is torn down, and started again.
	Die func()
	// Store is what the services remember. Services of one process that are to share it, or are started again, get the same; nil: one in memory
	// for these services.
	Store *Store
	// NoOutbox publishes an order's first message before the order is answered, whatever the flow says. Without it a store that outlives the
	// process takes both in one transaction, and the message is sent from there; so does one in memory where the flow says outbox: on.
	NoOutbox bool
	// NoDedupe does a step again that has been done, to show what delivery at least once does without idempotent handling.
	NoDedupe bool
	// Kotel lets kotel's hooks, as shipped, make the spans of messages; the order's relation is not asked then.
	Kotel     bool
	Telemetry telemetry.Config
	Network   Network
	// Dial returns how a service connects to others, or nil: as the network does.
	Dial func(service string) func(ctx context.Context, network, address string) (net.Conn, error)
}

// DefaultMailbox is how many orders a mailbox has places for.
const DefaultMailbox = 1000

// DefaultPartitions is how many partitions a topic of Kafka has unless somebody says otherwise.
const DefaultPartitions = carrier.DefaultPartitions

// Reconnect is how clients of gRPC try to reach a service that is away.
func Reconnect() backoff.Config { return carriergrpc.Reconnect() }

// MostPartitions is the most partitions that topics may be made with: each costs the broker, and every group, something.
const MostPartitions = 256

// DefaultWorkers is how many records a service works on at the same time.
const DefaultWorkers = 32

// DefaultAddresses are the ports of a flow whose services are processes: HTTP from 18080 on, gRPC from 19080 on.
func DefaultAddresses(f *flows.Flow) (http, grpc map[string]string) {
	http, grpc = map[string]string{}, map[string]string{}
	for i, name := range f.Services() {
		http[name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(18080+i))
		grpc[name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(19080+i))
	}
	return http, grpc
}

// RemoveTopics deletes what has the configuration's prefix from its brokers: topics and groups, exchanges and queues.
func RemoveTopics(ctx context.Context, config Config) error {
	f := config.flow()
	var errs []error
	if len(config.Kafka) > 0 {
		errs = append(errs, kafka.RemoveTopics(ctx, config.Network.Dial, config.Kafka, config.Prefix, append(f.Topics(), f.CompletedTopic()), append(f.Services(), Redriver)))
	}
	if len(config.RabbitMQ) > 0 {
		errs = append(errs, rabbitmq.Remove(ctx, config.Network.Dial, config.RabbitMQ, config.Prefix, f.Services()))
	}
	return errors.Join(errs...)
}

// flow is what the services do.
func (c Config) flow() *flows.Flow {
	if c.Flow == nil {
		return flows.Order()
	}
	return c.Flow
}
