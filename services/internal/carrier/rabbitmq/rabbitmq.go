// Package rabbitmq carries messages over a RabbitMQ: one topic exchange, whose routing keys are the topics, and one queue for each service that
// consumes. A service's queue keeps what nobody has acknowledged; what cannot be decoded goes to the dead letters.
//
// Messages of one key are handled in the order of their sending as long as one instance of a service consumes and nothing comes again. RabbitMQ
// promises no more: it hands a queue's messages to all its consumers in turn, whatever their key, and what comes again (after an instance or a
// connection has ended, or when the work could not be finished) may find later messages of its key done. A Kafka keeps the order in both cases,
// as a key has one partition, a partition one consumer, and what comes again brings all behind it along.
package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/attribute"
	"golang.org/x/time/rate"

	"tracelab/internal/poll"
	"tracelab/internal/telemetry"
	"tracelab/otelamqp"
	"tracelab/services/internal/carrier"
)

const (
	dialTimeout    = 8 * time.Second        // for the first answer of the broker
	heartbeat      = 2 * time.Second        // a connection on which nothing comes for three of them is given up
	closeTimeout   = time.Second            // for the broker's consent to the end of a connection
	retryPause     = 100 * time.Millisecond // between attempts to connect or to publish, and before what is unfinished comes again
	logInterval    = 10 * time.Second       // between log lines about a broker that does not answer
	rebindInterval = time.Second            // between declarations for messages that no queue takes
	queueWait      = 5 * time.Second        // of a start, for queues that others declare at the same time
	cancelGrace    = 100 * time.Millisecond // that work has to end when its broker is closed
	maxPublishing  = 10_000                 // messages without an acknowledgement
)

// Config says how a service takes part in the messages of a RabbitMQ.
type Config struct {
	carrier.BrokerConfig
	// Classic makes classic queues, on one node of a cluster and a little faster, instead of quorum queues, on several. Queues that are there
	// already keep their kind.
	Classic bool
}

// Broker is a service's connection to a RabbitMQ: it publishes, and consumes its service's queue.
type Broker struct {
	config Config
	names  names
	in     *otelamqp.Instrumentation
	log    *slog.Logger
	work   *carrier.Consumer

	mu      sync.Mutex    // guards session and changed, and that nothing begins once draining or life has ended
	session *session      // nil while there is none
	changed chan struct{} // closed when session changes

	ready      atomic.Bool
	draining   context.Context    // ended: take no more messages
	stop       context.CancelFunc // ends draining
	life       context.Context    // ended: give up
	kill       context.CancelFunc // ends life
	keeping    sync.WaitGroup     // the one who keeps a session
	consuming  sync.WaitGroup     // one for each session's deliveries
	publishing sync.WaitGroup
	pending    atomic.Int64   // messages without an acknowledgement
	trouble    rate.Sometimes // to log that the broker does not answer
	unread     rate.Sometimes // to log that headers are left out
	rebind     rate.Sometimes // to declare again, when no queue takes a message
}

// Open connects, makes the exchanges and queues that are missing, and begins to consume.
func Open(ctx context.Context, config Config) (*Broker, error) {
	r := &Broker{config: config, names: names{config.Prefix, config.Own.Group}, log: config.Provider.Log, changed: make(chan struct{}), trouble: rate.Sometimes{First: 1, Interval: logInterval}, unread: rate.Sometimes{First: 1, Interval: logInterval}, rebind: rate.Sometimes{Interval: rebindInterval}}
	var err error
	if r.in, err = newSpans(config); err != nil {
		return nil, err
	}
	if r.work, err = carrier.NewConsumer(config.BrokerConfig, r.startBatch); err != nil {
		return nil, err
	}
	r.life, r.kill = context.WithCancel(context.WithoutCancel(ctx))
	r.draining, r.stop = context.WithCancel(r.life)
	first, err := r.first(ctx)
	if err != nil {
		r.kill()
		return nil, fmt.Errorf("rabbitmq broker %s cannot be reached: start it (task rabbitmq), or name another with --rabbitmq: %w", strings.Join(config.Addresses, ","), err)
	}
	r.keeping.Go(func() { r.keep(first) })
	return r, nil
}

// first makes the first session. Services that declare the same queue at the same time may hit on a broker that is about to have it: it is asked again.
func (r *Broker) first(ctx context.Context) (s *session, err error) {
	waiting, cancel := context.WithTimeout(ctx, queueWait)
	defer cancel()
	err = poll.Until(waiting, retryPause, func(context.Context) error {
		var err error
		if s, err = r.connect(ctx); err != nil && !isComing(err) {
			return poll.Stop(err)
		}
		return err
	})
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		err = unmet.Last
	}
	return s, err
}

// newSpans makes the instrumentation.
func newSpans(config Config) (*otelamqp.Instrumentation, error) {
	mode := otelamqp.SpanOnError
	if config.Polls {
		mode = otelamqp.SpanAlways
	}
	in, err := otelamqp.New(
		otelamqp.WithSettleSpans(mode), otelamqp.WithBodySize(),
		otelamqp.WithTracerProvider(config.Provider.Spans), otelamqp.WithMeterProvider(config.Provider.Meters),
		otelamqp.WithPropagator(config.Provider.Propagator),
		otelamqp.WithRelationFunc(func(ctx context.Context, _ *amqp.Delivery) otelamqp.Relation { return relationOf(config.Relation(ctx)) }),
		otelamqp.WithDestinationTemplate(names{config.Prefix, config.Own.Group}.template),
		otelamqp.WithMessageAttributes(func(m *amqp.Publishing) []attribute.KeyValue {
			return config.Provider.Headers.Attributes(telemetry.MessageHeader, headersOf(m.Headers))
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("rabbitmq instrumentation of %s: %w", config.Service, err)
	}
	return in, nil
}

// relationOf is the instrumentation's word for a relation.
func relationOf(parent, link bool) otelamqp.Relation {
	switch {
	case !link:
		return otelamqp.RelationParent
	case !parent:
		return otelamqp.RelationLink
	default:
		return otelamqp.RelationBoth
	}
}

// headersOf are a message's headers that are text, by the alphabet.
func headersOf(table amqp.Table) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		c := otelamqp.TableCarrier{Table: table}
		for _, name := range c.Keys() {
			for _, value := range c.Values(name) {
				if !yield(name, value) {
					return
				}
			}
		}
	}
}

// Ready tells whether messages arrive.
func (r *Broker) Ready() bool { return r.ready.Load() }

// Skipped counts the messages that could not be decoded.
func (r *Broker) Skipped() int64 { return r.work.Skipped() }

// Dead counts the messages that were put with the dead letters.
func (r *Broker) Dead() int64 { return r.work.Dead() }

// Held is how many messages were taken and are not done with.
func (r *Broker) Held() int { return r.work.Held() }

// begin runs f in a goroutine of the group, unless the context has ended: then it reports false.
func (r *Broker) begin(while context.Context, group *sync.WaitGroup, f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if while.Err() != nil {
		return false
	}
	group.Go(f)
	return true
}

// end ends a context for which begin looks.
func (r *Broker) end(cancel context.CancelFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	cancel()
}

// Drain takes no more messages, finishes those that it has, and acknowledges them. Publishing still works.
func (r *Broker) Drain(ctx context.Context) error {
	r.end(r.stop)
	r.consuming.Wait()
	if err := r.work.Wait(ctx); err != nil {
		return fmt.Errorf("%s: messages still in work; they will come again: %w", r.config.Service, err)
	}
	return nil
}

// Close ends the connection. It gives up messages without an acknowledgement and work that Drain left.
func (r *Broker) Close(ctx context.Context) {
	r.end(r.kill)
	r.keeping.Wait()
	r.consuming.Wait()
	r.publishing.Wait()
	// Work that waited for an acknowledgement ends now, and its spans have to end before their provider is shut down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelGrace)
	defer cancel()
	_ = r.work.Wait(ctx)
}
