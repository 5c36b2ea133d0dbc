package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"

	carriergrpc "tracelab/services/internal/carrier/grpc"
	carrierhttp "tracelab/services/internal/carrier/http"
	"tracelab/services/internal/carrier/kafka"

	"go.opentelemetry.io/otel/baggage"

	"tracelab/internal/telemetry"
	"tracelab/services/faults"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// handler does what a message asks for.
type handler func(context.Context, Experiment, *orderpb.Event) error

// node is what every service has: its name, its telemetry, its servers, and its ways to the others.
type node struct {
	name          string
	allowFaults   bool
	repeatEffects bool // do a step again that has been done
	effects       *Effects
	handlings     *handlingIDs
	telemetry     *telemetry.Provider
	queue         *telemetry.Queue // of the process; nil: its spans go nowhere, or where the lab counts them
	process       string

	httpServer *carrierhttp.Server
	grpcServer *carriergrpc.Server
	listeners  listeners
	http       *carrierhttp.Client
	grpc       *carriergrpc.Client
	broker     carrier.Broker // nil for the gateway, and without a broker

	handlers map[string]handler // by topic
	ready    func(context.Context) []string
	draining atomic.Bool
}

// listeners are where a service answers.
type listeners struct{ http, grpc net.Listener }

// subscribe makes the service a consumer of a topic.
func (n *node) subscribe(topic string, h handler) { n.handlers[topic] = h }

// handleStep makes the service a consumer of the topic that leads to its step.
func (n *node) handleStep(step Step, do func(context.Context, *orderpb.Order) error) {
	hop, _ := OrderTopology().Hop(step)
	n.subscribe(hop.Topic, func(ctx context.Context, e Experiment, event *orderpb.Event) error {
		_, err := n.serveMessage(ctx, e, step, event, do)
		return err
	})
}

// consume handles a message.
func (n *node) consume(ctx context.Context, topic string, event *orderpb.Event) error {
	e, err := experimentOf(ctx)
	if err != nil {
		return carrier.Fail("", carrier.BadRequest, err.Error())
	}
	return n.handlers[topic](ctx, e, event)
}

// topics are those that the service consumes.
func (n *node) topics() []string {
	var topics []string
	for topic := range n.handlers {
		topics = append(topics, topic)
	}
	slices.Sort(topics)
	return topics
}

// probes are the questions that an orchestrator asks.
func (n *node) probes() {
	n.httpServer.Plain("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		carrierhttp.WriteJSON(w, http.StatusOK, map[string]string{"service": n.name, "status": "alive"})
	}))
	n.httpServer.Plain("GET /runs/{run}/spans/here", http.HandlerFunc(n.reportSpans))
	n.httpServer.Plain("GET /readyz", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if missing := n.notReady(r.Context()); len(missing) > 0 {
			carrierhttp.WriteJSON(w, http.StatusServiceUnavailable, Readiness{Service: n.name, Status: "not ready", Waiting: missing})
			return
		}
		carrierhttp.WriteJSON(w, http.StatusOK, Readiness{Service: n.name, Status: "ready", FaultsAllowed: &n.allowFaults})
	}))
}

// notReady lists what the service still waits for.
func (n *node) notReady(ctx context.Context) []string {
	var missing []string
	if n.draining.Load() {
		missing = append(missing, n.name+" is shutting down")
	}
	if n.broker != nil && !n.broker.Ready() {
		missing = append(missing, "kafka group "+n.name)
	}
	if n.ready != nil {
		missing = append(missing, n.ready(ctx)...)
	}
	return missing
}

// connect joins the broker.
func (n *node) connect(ctx context.Context, config Config) error {
	broker, err := kafka.Open(ctx, kafka.Config{
		Kotel: config.Kotel,
		BrokerConfig: carrier.BrokerConfig{
			Service: n.name, Addresses: config.Kafka, Prefix: config.Prefix, Topics: OrderTopology().Topics(), Consume: n.topics(),
			Workers: config.Workers, Polls: config.Polls, Dial: config.Network.Dial, Provider: n.telemetry, Handle: n.consume,
			Relation: func(ctx context.Context) (parent, link bool) {
				// consume refuses an unknown relation; the span has to begin before that.
				relation, _ := relationOf(baggage.FromContext(ctx))
				return relation.refers()
			},
		},
	})
	if err != nil {
		return err // and n.broker stays nil
	}
	n.broker = broker
	return nil
}

// stopServing takes no more requests and calls and waits for those that it has. The connections that the service's own
// client holds in reserve go, too: the server behind such a one waits seconds for it when it has never been used.
func (n *node) stopServing(ctx context.Context) error {
	err := errors.Join(n.httpServer.Shutdown(ctx), n.grpcServer.Shutdown(ctx))
	n.http.Close()
	return wrap(n.name, err)
}

// drain finishes and commits the messages in work.
func (n *node) drain(ctx context.Context) error {
	if n.broker == nil {
		return nil
	}
	return n.broker.Drain(ctx)
}

// close gives back what drain has left.
func (n *node) close(ctx context.Context) error {
	if n.broker != nil {
		n.broker.Close(ctx)
	}
	n.http.Close()
	return errors.Join(n.grpc.Close(), wrap(n.name, n.telemetry.Traces.Shutdown(ctx)))
}

// misbehaved is how a fault ends a request outside any step.
func misbehaved(err error) error {
	if fault, ok := errors.AsType[*faults.Error](err); ok {
		return carrier.Fail("", fault.Reason, "injected fault")
	}
	return err
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
