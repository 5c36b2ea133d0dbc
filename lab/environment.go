package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"tracelab/internal/telemetry"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/otlp"
	"tracelab/lab/links"
	"tracelab/services"
)

// startTimeout is how long a start waits for the answers of what is to be there: brokers, a store, a target.
const startTimeout = 4500 * time.Millisecond

// joinTimeout is how long consumer groups may take to get their partitions from a broker that has answered. A busy one takes its time.
const joinTimeout = 30 * time.Second

// lastSpansTimeout bounds the wait for spans that end after their service's shutdown.
const lastSpansTimeout = 2 * time.Second

// spanBatch is how many spans are handed on and judged at a time. Each batch takes a CPU for as long as it lasts, and an order
// that is due in the meantime is late.
const spanBatch = 128

// environment is what a run has around it: the services and their broker, or the way to them, and where spans go.
type environment struct {
	client    *client
	collector *collector       // takes spans made in this process, and those that a receiver takes
	receiver  *otlp.Receiver   // nil when no spans are received
	jaeger    *fetcher         // nil when no spans are fetched from a Jaeger
	queue     *telemetry.Queue // of the spans made in this process
	dropped   droppedSpans
	open      *openSpans // nil when the services run elsewhere
	system    *services.System
	config    services.Config // of the services of this process
	links     *links.Network  // nil without links
	directory *directory
	obeys     bool      // the services obey faults
	embedded  *Broker   // nil with another Kafka
	broker    string    // embedded, the addresses of another, or "of the target"
	brokerIs  string    // in words
	stores    string    // where services keep what they remember, in words
	stops     []stopper // in the order in which they were started
	stopped   bool
}

// undecodable counts the messages that no consumer of this process could decode so far.
func (e *environment) undecodable() int64 {
	if e.system == nil {
		return 0
	}
	return e.system.Skipped()
}

// start brings everything up, or nothing: what a failed start has begun is ended again.
func start(ctx context.Context, c Config, run string, j *judge) (_ *environment, err error) {
	joining, stop := context.WithTimeoutCause(ctx, joinTimeout, fmt.Errorf("not up within %v", joinTimeout))
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not up within %v", startTimeout))
	defer cancel()
	env := &environment{collector: &collector{judge: j}, open: j.open}
	defer func() {
		if err != nil {
			err = errors.Join(err, env.stop(context.WithoutCancel(ctx)))
		}
	}()
	telemetry, err := env.telemetry(ctx, c, run)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(c.Target, "/")
	if c.Target == "" {
		if err := env.startServices(ctx, c, run, telemetry); err != nil {
			return nil, err
		}
		if err := env.system.Ready(joining); err != nil {
			return nil, err
		}
		ctx = joining
		base = "http://" + env.system.Address(services.Gateway)
	} else if err := env.elsewhere(c, run); err != nil {
		return nil, err
	}
	provider, err := telemetry.New(clientName)
	if err != nil {
		return nil, err
	}
	env.client = newClient(base, c.Flow, c.Network, env.placing(c.Network), provider, c.Timeout)
	env.onStop(func(context.Context) error { env.client.close(); return nil })
	ready, err := env.client.ready(ctx)
	if err != nil {
		return nil, err
	}
	env.obeys = ready.FaultsAllowed != nil && *ready.FaultsAllowed
	if len(c.Faults) > 0 && !env.obeys {
		return nil, fmt.Errorf("the services at %s do not obey faults: start them with --allow-faults", base)
	}
	return env, nil
}

func (env *environment) onStop(s stopper) { env.stops = append(env.stops, s) }

// stop ends everything, the last started first.
func (env *environment) stop(ctx context.Context) error {
	if env.stopped {
		return nil
	}
	env.stopped = true
	var errs []error
	for _, stop := range slices.Backward(env.stops) {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}

// telemetry makes the queue in front of the collector and what the services of this process have in common.
func (env *environment) telemetry(ctx context.Context, c Config, run string) (telemetry.Config, error) {
	exporter, err := otlptrace.New(ctx, otlp.Clean(env.collector))
	if err != nil {
		return telemetry.Config{}, fmt.Errorf("exporter to the lab's collector: %w", err)
	}
	var t telemetry.Config
	// Before the queue, so that it ends behind it: the last metrics have the queue's last sums.
	if err := env.measure(ctx, c, &t); err != nil {
		return t, err
	}
	if c.Jaeger == "" { // which must hear of each span before it fetches any
		env.collector.unjudged = startUnjudged(env.collector.toJudge)
	}
	// It waits rather than drop: the collector is in this process.
	env.queue = telemetry.NewQueue(exporter, telemetry.QueueConfig{Wait: true, Batch: spanBatch, Interval: 50 * time.Millisecond, OnDrop: env.dropped.note, Logger: c.Logger})
	env.onStop(env.endSpans)
	processors := []sdktrace.SpanProcessor{env.queue}
	if env.open != nil {
		processors = append(processors, env.open)
	}
	t.Version, t.Host, t.Instance, t.Flow = c.Version, c.Host, run, c.Flow.Name
	t.Profiled, t.Headers = c.Profiles != "", c.Headers
	t.Processors, t.Logs = processors, c.Logger.Handler()
	t.Propagator, t.BaggageKeys = services.Propagator(c.Logger), services.BaggageKeys()
	return t, nil
}

// endSpans waits for the spans of work that the services' shutdown has cut off, which end a little later than it does,
// and ends the queue. It has a timeout of its own: a shutdown that took all its time must not cost spans.
func (env *environment) endSpans(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpansTimeout)
	defer cancel()
	for {
		if err := env.queue.ForceFlush(ctx); err != nil {
			break // Shutdown says it too
		}
		c := env.queue.Counts()
		if c.Started == c.Exported+c.Dropped || !pause(ctx, 10*time.Millisecond) {
			break
		}
	}
	err := env.queue.Shutdown(context.WithoutCancel(ctx)) // to the collector of this process, which is quick
	if env.collector.unjudged != nil {
		env.collector.unjudged.stop()
	}
	return err
}

// flush makes all spans that have ended reach the judge.
func (env *environment) flush(ctx context.Context) error {
	if err := env.queue.ForceFlush(ctx); err != nil {
		return err
	}
	env.collector.flush()
	return nil
}

// startServices starts all services in this process, on a broker of the lab's own or another.
func (env *environment) startServices(ctx context.Context, c Config, run string, telemetry telemetry.Config) error {
	config := services.Config{
		Services: c.Flow.Services(), Flow: c.Flow, Forms: c.Forms, Kafka: c.Kafka, RabbitMQ: c.RabbitMQ, ClassicQueues: c.ClassicQueues, Workers: c.Workers, WorkersOf: c.WorkersOf, Partitions: c.Partitions, Instances: c.Instances, Mailbox: c.Mailbox, Polls: c.Polls, AllowFaults: true, NoDedupe: c.NoDedupe, Remembered: c.Remembered, Effects: c.effects, Kotel: c.Kotel, Telemetry: telemetry, Network: c.Network,
	}
	env.broker = strings.Join(c.Kafka, ",")
	if len(c.Kafka) == 0 {
		broker, err := StartBroker(c.Network)
		if err != nil {
			return err
		}
		env.broker, env.embedded, config.Kafka = "embedded", broker, broker.Addresses()
		env.brokerIs = "embedded, in memory, not a real Kafka's cost"
		env.onStop(func(context.Context) error { broker.Close(); return nil })
	} else {
		env.brokerIs = brokerVersion(ctx, c.Kafka, c.Network)
	}
	if len(c.RabbitMQ) > 0 {
		env.broker += " and RabbitMQ " + strings.Join(c.RabbitMQ, ",")
		env.brokerIs += "; RabbitMQ at " + strings.Join(c.RabbitMQ, ", ")
	}
	if len(c.Kafka)+len(c.RabbitMQ) > 0 {
		config.Prefix = "tracelab." + run + "."
	}
	if err := env.openStore(ctx, c, &config); err != nil {
		return err
	}
	env.link(c, &config)
	env.config = config
	system, err := services.Start(ctx, config)
	if err != nil {
		return err
	}
	env.system = system
	if env.directory != nil {
		env.directory.note(system, c.Flow.Services())
	}
	if config.Prefix != "" && !c.Keep {
		shared := config
		shared.Kafka = c.Kafka // the embedded one is gone with all that it holds
		env.onStop(func(ctx context.Context) error { return services.RemoveTopics(ctx, shared) })
	}
	env.onStop(system.Shutdown)
	return nil
}

// elsewhere finds a way to the spans of services elsewhere: they are received, or fetched from a Jaeger.
func (env *environment) elsewhere(c Config, run string) error {
	env.broker, env.brokerIs = "of the target", "of the services at the target, which do not tell"
	if c.Jaeger != "" {
		fetcher, err := newFetcher(c.Jaeger, run, env.collector.judge.add)
		if err != nil {
			return err
		}
		env.jaeger, env.collector.jaeger = fetcher, fetcher
		env.onStop(fetcher.close)
		return nil
	}
	receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: c.ReceiveOTLP, Keep: env.collector.add, Logger: c.Logger,
		Admit: ofRun(run, otlp.DefaultBudget()/4), MaxBytes: math.MaxInt64}) // the judge writes them to the run directory
	if err != nil {
		return err
	}
	env.receiver = receiver
	env.onStop(receiver.Close)
	return nil
}

// followJaeger fetches spans while orders are placed, where they are in a Jaeger, until stop is called.
func (env *environment) followJaeger(ctx context.Context) (stop func()) {
	if env.jaeger == nil {
		return func() {}
	}
	return env.jaeger.follow(ctx)
}
