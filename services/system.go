// Package services is the system under observation: the services of a flow, which take an order through its steps over whatever the flow says
// for the order's form. One generic service does what the flow says. They make traces; they judge nothing.
package services

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	carriergrpc "tracelab/services/internal/carrier/grpc"
	carrierhttp "tracelab/services/internal/carrier/http"

	"golang.org/x/sync/errgroup"

	"tracelab/internal/poll"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
)

// System is a set of running services.
type System struct {
	config    Config
	nodes     []*node
	flow      *flowWork
	keeper    *keeper // nil when the service of the entry step runs elsewhere
	handlings *handlingIDs
	serving   errgroup.Group
	failed    chan error // the first server that ended by itself
}

// Start binds every listener, then starts every service. When it returns without an error all of them answer; call
// Ready to know that their consumers have joined, and Shutdown in the end.
func Start(ctx context.Context, config Config) (*System, error) {
	config.HTTP, config.GRPC, config.Services = maps.Clone(config.HTTP), maps.Clone(config.GRPC), slices.Clone(config.Services)
	if config.HTTP == nil {
		config.HTTP = map[string]string{}
	}
	if config.GRPC == nil {
		config.GRPC = map[string]string{}
	}
	flow, err := newFlowWork(config.flow())
	if err != nil {
		return nil, err
	}
	names := flow.Services()
	slices.SortFunc(config.Services, func(a, b string) int { return slices.Index(names, a) - slices.Index(names, b) })
	config.Telemetry.Form = func(ctx context.Context) string { return formOf(ctx, flow.Flow) }
	if config.Connections == 0 {
		config.Connections = connectionsLimit()
	}
	if config.Remembered == 0 {
		config.Remembered = ordersLimit(config.flow())
	}
	if config.Mailbox == 0 {
		config.Mailbox = DefaultMailbox
	}
	if config.Effects == nil {
		config.Effects = NewEffects()
	}
	s := &System{config: config, flow: flow, failed: make(chan error, 1), handlings: newHandlingIDs()}
	bound, err := s.bind()
	if err != nil {
		return nil, err
	}
	for _, name := range config.Services {
		n, err := s.newNode(name, bound[name])
		if err != nil {
			return nil, errors.Join(err, s.abort(bound))
		}
		s.nodes = append(s.nodes, n)
	}
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(err, s.abort(bound))
	}
	for _, n := range s.nodes {
		s.serve(n, func() error { return n.httpServer.Serve(n.listeners.http, s.config.Connections) })
		s.serve(n, func() error { return n.grpcServer.Serve(n.listeners.grpc, s.config.Connections) })
	}
	return s, nil
}

// bind listens for every service that runs here and notes where.
func (s *System) bind() (map[string]listeners, error) {
	bound := map[string]listeners{}
	for _, name := range s.config.Services {
		if err := s.flow.CheckService(name); err != nil {
			return nil, errors.Join(err, s.abort(bound))
		}
		var l listeners
		var err error
		if l.http, err = s.config.Network.bind(name, orFree(s.config.HTTP[name])); err != nil {
			return nil, errors.Join(err, s.abort(bound))
		}
		bound[name] = l
		if l.grpc, err = s.config.Network.bind(name, orFree(s.config.GRPC[name])); err != nil {
			return nil, errors.Join(err, s.abort(bound))
		}
		bound[name] = l
		s.config.HTTP[name], s.config.GRPC[name] = l.http.Addr().String(), l.grpc.Addr().String()
	}
	return bound, nil
}

func orFree(address string) string {
	if address == "" {
		return "127.0.0.1:0"
	}
	return address
}

// newNode makes a service with its routes, not yet connected.
func (s *System) newNode(name string, l listeners) (*node, error) {
	config := s.config.Telemetry
	if name == Gateway {
		config.Propagator = outside{config.Propagator, s.flow.Flow}
	}
	provider, err := config.New(name)
	if err != nil {
		return nil, err
	}
	n := &node{name: name, flow: s.flow, allowFaults: s.config.AllowFaults, repeatEffects: s.config.NoDedupe,
		effects: s.config.Effects, handlings: s.handlings, telemetry: provider, listeners: l, brokers: map[flows.Carrier]carrier.Broker{},
		queue: s.config.Telemetry.Queue(), process: s.config.Telemetry.Host + "/" + s.config.Telemetry.Instance}
	n.httpServer, n.grpcServer = carrierhttp.NewServer(provider), carriergrpc.NewServer(provider)
	n.http = carrierhttp.NewClient(s.config.Network.Dial, provider, lookup(s.config.HTTP))
	n.grpc = carriergrpc.NewClient(s.config.Network.Dial, provider, lookup(s.config.GRPC), s.flow.RPCService)
	n.probes()
	switch name {
	case Gateway:
		return n, newGateway(n)
	case s.flow.Entry().Service():
		if n.keeper, err = newKeeper(n, s.config); err != nil {
			return n, err
		}
		s.keeper = n.keeper
		n.serveSteps(n.keeper.accept)
	default:
		n.serveSteps(nil)
	}
	return n, nil
}

// lookup finds a service's address.
func lookup(addresses map[string]string) func(string) (string, error) {
	return func(service string) (string, error) {
		address, ok := addresses[service]
		if !ok {
			return "", carrier.Fail("", carrier.Unavailable, "no address of "+service+": name it on the command line")
		}
		return address, nil
	}
}

// connect joins the broker, all services side by side.
func (s *System) connect(ctx context.Context) error {
	var group errgroup.Group
	for _, n := range s.nodes {
		if n.name != Gateway {
			group.Go(func() error {
				n.telemetry.Labels.Service()
				return n.connect(ctx, s.config)
			})
		}
	}
	return group.Wait()
}

// serve runs a server; if it ends by itself, Failed tells.
func (s *System) serve(n *node, server func() error) {
	s.serving.Go(func() error {
		n.telemetry.Labels.Service()
		err := wrap(n.name, server())
		if err != nil {
			select {
			case s.failed <- err:
			default: // the first one is told; all are returned by Shutdown
			}
		}
		return err
	})
}

// Failed receives the error of the first server that ends by itself.
func (s *System) Failed() <-chan error { return s.failed }

// Address is where a service answers HTTP, as host:port.
func (s *System) Address(service string) string { return s.config.HTTP[service] }

// GRPCAddress is where a service answers gRPC, as host:port.
func (s *System) GRPCAddress(service string) string { return s.config.GRPC[service] }

// Ready waits until every service here has all it needs, its peers apart.
func (s *System) Ready(ctx context.Context) error {
	err := poll.Until(ctx, 5*time.Millisecond, func(context.Context) error {
		var missing []string
		for _, n := range s.nodes {
			missing = append(missing, n.waiting()...)
		}
		if len(missing) == 0 {
			return nil
		}
		return fmt.Errorf("missing %s", strings.Join(missing, ", "))
	})
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	return nil
}

// Skipped counts the records that no consumer here could decode.
func (s *System) Skipped() int64 {
	var n int64
	for _, node := range s.nodes {
		for _, broker := range node.brokers {
			n += broker.Skipped()
		}
	}
	return n
}

// Shutdown stops taking orders, lets the ones that are on their way end, finishes and commits the messages in work, and
// flushes the spans. The context bounds all of it: what is cut off is in the error. Each stage may take half of the time
// that is left, so that one call that hangs does not cost the others their commits and their spans.
func (s *System) Shutdown(ctx context.Context) error {
	for _, n := range s.nodes {
		n.draining.Store(true)
	}
	intake := func(n *node) bool { return n.name == Gateway || n.keeper != nil }
	var errs []error
	// In the order of the flow, so that nobody loses the peer that an order in work still needs.
	for _, n := range s.nodes {
		if intake(n) {
			errs = append(errs, stage(ctx, n.stopServing))
		}
	}
	_ = stage(ctx, s.settle) // what is pending then is in the accounts
	errs = append(errs, stage(ctx, s.stopMailbox),
		stage(ctx, func(ctx context.Context) error {
			return s.each(func(n *node) error {
				if intake(n) {
					return nil
				}
				return n.stopServing(ctx)
			})
		}),
		stage(ctx, func(ctx context.Context) error { return s.each(func(n *node) error { return n.drain(ctx) }) }),
		s.each(func(n *node) error { return n.close(ctx) }),
		s.serving.Wait())
	return errors.Join(errs...)
}

// stage does a part of a shutdown within half of the time that is left.
func stage(ctx context.Context, part func(context.Context) error) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	return part(ctx)
}

// each does something with all services side by side and returns all errors.
func (s *System) each(do func(*node) error) error {
	errs := make([]error, len(s.nodes))
	var wg sync.WaitGroup
	for i, n := range s.nodes {
		wg.Go(func() { errs[i] = do(n) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// settle waits until no order is pending, if the service that keeps the accounts runs here.
func (s *System) settle(ctx context.Context) error {
	if s.keeper == nil {
		return nil
	}
	return poll.Until(ctx, 10*time.Millisecond, func(context.Context) error {
		if n := s.keeper.ledger.pending(); n > 0 {
			return fmt.Errorf("%d orders are pending", n)
		}
		return nil
	})
}

// stopMailbox gives up what is still in the mailbox, if there is one here.
func (s *System) stopMailbox(ctx context.Context) error {
	if s.keeper == nil {
		return nil
	}
	return wrap(s.keeper.name, s.keeper.mailbox.stop(ctx))
}

// abortPatience is how long a start that failed waits at the most for a broker that does not answer.
const abortPatience = time.Second

// abort gives back what a Start that failed has taken.
func (s *System) abort(bound map[string]listeners) error {
	ctx, cancel := context.WithTimeout(context.Background(), abortPatience)
	defer cancel()
	errs := []error{s.each(func(n *node) error { return n.close(ctx) })}
	for _, l := range bound {
		errs = append(errs, l.http.Close())
		if l.grpc != nil {
			errs = append(errs, l.grpc.Close())
		}
	}
	return errors.Join(errs...)
}
