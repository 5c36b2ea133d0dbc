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

// Propagator carries trace context and baggage over every hop. It counts what it refuses, and logs that at most once a minute.
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
	// Instances is the number of instances of a service that run here, by its name; the default is 1. Each has its own addresses and its own
	// membership in the consumer group. See CheckInstances.
	Instances map[string]int
	Flow      *flows.Flow // what the services do; nil: order
	// Forms are the forms that orders will have; nil: all of the flow. A view is kept only if one of them reads it.
	Forms []Form
	// HTTP and GRPC are the addresses host:port of all services, including those that run elsewhere. A service that runs here gets a free port on
	// 127.0.0.1 when its address is missing or has the port 0.
	HTTP, GRPC map[string]string
	Kafka      []string // host:port of the brokers; none: no messages by Kafka
	RabbitMQ   []string // host:port of the nodes; none: no messages by RabbitMQ
	Prefix     string   // of topics, groups, exchanges and queues, for a broker that others use too
	Partitions int      // of a topic that is created at Kafka; 0: DefaultPartitions
	Workers    int      // messages of a broker that a service handles at the same time
	// WorkersOf overrides the flow's limit of calls and messages that a service handles at the same time, by the service's name.
	WorkersOf map[string]int
	// ClassicQueues creates classic queues at RabbitMQ instead of quorum queues.
	ClassicQueues bool
	// Mailbox limits the orders that the keeper of the accounts carries on with after it has answered, waiting ones included; 0:
	// DefaultMailbox. It works on Workers of them at the same time.
	Mailbox int
	// Connections limits the open connections of each server of a service; 0: as many as the memory limit allows.
	Connections int
	// Remembered limits the orders that the orders service remembers; 0: as many as the memory limit allows. Beyond it the service
	// forgets the oldest final orders. They stay in the sums.
	Remembered int
	// Effects is how many finished steps each service without a durable store remembers at least, to skip them when their message comes again; it
	// holds up to twice as many. 0: as many as the memory limit allows.
	Effects int
	// Polls makes spans of polls and commits, too: roots of their own, of several orders or none. Those that fail always have a span.
	Polls bool
	// AllowFaults makes the services act on the faults that an order carries.
	AllowFaults bool
	// Die ends this process when a fault makes a service crash, like kill -9. Nil: only the service is torn down, and started again.
	Die func()
	// Store is what the services remember. Pass the same one to services of one process that share it or are started again; nil: one in memory
	// for these services.
	Store *Store
	// NoOutbox publishes an order's first message before the order is answered, whatever the flow says. Without it a durable store takes both the
	// order and the message in one transaction, and the message is sent from there; a store in memory does so if the flow says outbox: on.
	NoOutbox bool
	// NoDedupe repeats a step whose message comes again, to show what delivery at least once does without idempotent handling.
	NoDedupe bool
	// Kotel makes the spans of messages by kotel's hooks as shipped. They ignore the order's relation.
	Kotel     bool
	Telemetry telemetry.Config
	Network   Network
	// Dial returns the dialer that a service uses to reach others; nil, or a nil result: the dialer of Network.
	Dial func(service string) func(ctx context.Context, network, address string) (net.Conn, error)
}

// DefaultMailbox is the default of Config.Mailbox.
const DefaultMailbox = 1000

// DefaultPartitions is the default of Config.Partitions.
const DefaultPartitions = carrier.DefaultPartitions

// Reconnect returns the backoff of gRPC clients that cannot reach a service.
func Reconnect() backoff.Config { return carriergrpc.Reconnect() }

// MostPartitions is the maximum number of partitions of a topic: each costs the broker, and every group, some resources.
const MostPartitions = 256

// DefaultWorkers is the usual number of messages that a service handles at the same time.
const DefaultWorkers = 32

// DefaultAddresses returns the addresses of services that run as processes of their own: HTTP from port 18080 on, gRPC from port 19080 on.
func DefaultAddresses(f *flows.Flow) (http, grpc map[string]string) {
	http, grpc = map[string]string{}, map[string]string{}
	for i, name := range f.Services() {
		http[name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(18080+i))
		grpc[name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(19080+i))
	}
	return http, grpc
}

// RemoveTopics deletes everything with the configuration's prefix from its brokers: topics and groups, exchanges and queues.
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

// flow returns what the services do: Flow or its default.
func (c Config) flow() *flows.Flow {
	if c.Flow == nil {
		return flows.Order()
	}
	return c.Flow
}
