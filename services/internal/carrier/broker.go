package carrier

import (
	"context"
	"errors"
	"net"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/orderpb"
)

// ErrUnfinished marks a message whose work could not be handed on: it is not acknowledged, so it comes again.
var ErrUnfinished = errors.New("message not finished")

// Outcome is what became of a message.
type Outcome int

// The outcomes.
const (
	Finished   Outcome = iota // it may be acknowledged: its work is done, or it is with the dead letters
	Unfinished                // it has to come again
)

// Dial connects to a host:port.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Broker is a service's connection to a message broker: it publishes, and consumes as one group. Its users do not know which
// product it is.
type Broker interface {
	// Publish sends an event, keyed by its order, and returns when the broker has acknowledged it. When the context ends first,
	// the message may still be sent: the error says that the outcome is open.
	Publish(ctx context.Context, topic string, event *orderpb.Event) error
	// Ready reports whether messages arrive.
	Ready() bool
	// Skipped counts the messages that could not be decoded.
	Skipped() int64
	// Dead counts the messages that were put with the dead letters.
	Dead() int64
	// Held is how many messages the consumer was given and is not done with: it works on them, or they wait here.
	Held() int
	// Backlog is how many messages of a topic wait for a worker of a service that has so many, as far as the broker knows.
	Backlog(ctx context.Context, topic, service string, workers int) (int, error)
	// Drain takes no more messages, finishes those that it has, and acknowledges them. Publishing still works.
	Drain(ctx context.Context) error
	// Close ends the connection. It gives up messages without an acknowledgement and work that Drain left.
	Close(ctx context.Context)
}

// DefaultPartitions is how many partitions a topic has unless somebody says otherwise.
const DefaultPartitions = 8

// BrokerConfig says how a service takes part in the messages of a lab.
type BrokerConfig struct {
	Service   string
	Addresses []string // host:port of the brokers
	Prefix    string   // of all names on a broker that others use too
	Topics    []string // without prefix; made when they are missing
	Consume   []string // of the topics, in the name of the service; none: no consumer
	// Consumers are the services that consume each topic: a broker that keeps a message for each of them has to know them before the first
	// message. One that keeps all messages of a topic need not.
	Consumers map[string][]string
	Workers   int  // messages worked on at the same time, one at a time for each key
	Bounded   bool // others ask for this service's backlog: let the broker know soon what is finished
	// Partitions is how many parts a new topic has, where the broker has partitions; 0: DefaultPartitions.
	Partitions int
	Polls      bool // make spans of polls and acknowledgements, too; without it only those that failed have one
	Dial       Dial
	Evict      Dial // for whoever tells that this consumer is gone; nil: nobody does
	Provider   *telemetry.Provider
	// Relation says how a message's process span refers to the span that sent it. The context has the message's baggage.
	Relation func(ctx context.Context) (parent, link bool)
	// Retried are the topics whose messages may be handled again when that failed: the spans of the attempts are numbered.
	Retried []string
	// Own are topics of which each instance of the service gets every message.
	Own OwnTopics
	// Batch says which messages are handled together, by their topic and the baggage in the context; nil: none are.
	Batch func(ctx context.Context, topic string) (Batch, bool)
	// Handle does what a message asks for. Its error ends the process span; a message whose error is ErrUnfinished is not
	// acknowledged, one of *AgainError is handled again, and one of *DeadError is put with the dead letters.
	Handle func(ctx context.Context, topic string, event *orderpb.Event) error
}

// OwnTopics are topics, without prefix, of which an instance of a service gets every message that is sent from now on, under a group of its own; the
// zero value is none. They are made when they are missing.
type OwnTopics struct {
	Topics []string
	Group  string                // of this instance alone, without prefix
	Wanted func(key string) bool // tells whether a message is to be handled here
}
