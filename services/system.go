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

	"golang.org/x/sync/errgroup"

	"tracelab/internal/poll"
	"tracelab/internal/process"
)

// System is a set of running services.
type System struct {
	config     Config
	flow       *flowWork
	handlings  *handlingIDs
	fired      *firedFaults
	calls      *callCounts
	crashes    *crashes
	crashTimes crashTimes
	serving    errgroup.Group
	failed     chan error // the first server that ended by itself

	mu          sync.Mutex             // guards what follows
	control     map[string]*sync.Mutex // by service: held while it is stopped, killed, paused or started
	nodes       []*node                // that run, in the order of the flow
	keeper      *keeper                // nil when the service of the entry step does not run here
	starts      map[string]int         // by instance
	before      map[string]*writes     // likewise: of the one that ran last, when it does not any more
	places      map[string]place       // likewise; nothing changes them once all are bound
	shared      map[string]*Store      // by service: of those that have several instances
	life        context.Context        // ends when no service that has crashed is to start again
	endRestarts context.CancelFunc
	restarts    sync.WaitGroup // one for each service that has crashed and is not back
	graves      sync.WaitGroup // one for each service that was killed and whose goroutines have not all ended
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
	if err := config.CheckInstances(); err != nil {
		return nil, err
	}
	flow, err := newFlowWork(config.flow())
	if err != nil {
		return nil, err
	}
	names := flow.Services()
	slices.SortFunc(config.Services, func(a, b string) int { return slices.Index(names, a) - slices.Index(names, b) })
	config.Telemetry.Flow = flow.Name
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
	s := &System{config: config, flow: flow, failed: make(chan error, 1), handlings: newHandlingIDs(), fired: &firedFaults{}, calls: &callCounts{}, starts: map[string]int{}, before: map[string]*writes{}, places: config.places(), shared: map[string]*Store{}, control: map[string]*sync.Mutex{}, crashes: &crashes{}}
	s.life, s.endRestarts = context.WithCancel(context.WithoutCancel(ctx))
	bound, err := s.bind()
	if err != nil {
		return nil, err
	}
	for _, name := range config.instances() {
		n, err := s.newNode(name, bound[name])
		if err != nil {
			return nil, errors.Join(err, s.abort(bound))
		}
		s.add(n)
	}
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(err, s.abort(bound))
	}
	for _, n := range s.nodes {
		s.serveAll(n)
	}
	return s, nil
}

// bind listens for every service that runs here and notes where.
func (s *System) bind() (map[string]listeners, error) {
	bound := map[string]listeners{}
	for _, service := range s.config.Services {
		if err := s.flow.CheckService(service); err != nil {
			return nil, errors.Join(err, s.abort(bound))
		}
		var http, grpc []string
		for _, instance := range s.config.InstancesOf(service) {
			l, err := s.bindOne(instance)
			if err != nil {
				return nil, errors.Join(err, s.abort(bound))
			}
			bound[instance] = l
			s.places[instance] = place{l.http.Addr().String(), l.grpc.Addr().String()}
			http, grpc = append(http, l.http.Addr().String()), append(grpc, l.grpc.Addr().String())
		}
		s.config.HTTP[service], s.config.GRPC[service] = strings.Join(http, ","), strings.Join(grpc, ",")
	}
	return bound, nil
}

// bindOne listens for one instance, in the name of a process of its own.
func (s *System) bindOne(instance string) (listeners, error) {
	dial := s.config.Network.Dial
	if s.config.Dial != nil {
		service, _ := splitInstance(instance)
		if own := s.config.Dial(service); own != nil {
			dial = own
		}
	}
	l := listeners{process: process.New(s.config.Network.Listen, dial)}
	own := Network{Listen: l.process.Listen}
	var err error
	if l.http, err = own.bind(instance, orFree(s.places[instance].http)); err != nil {
		return l, err
	}
	if l.grpc, err = own.bind(instance, orFree(s.places[instance].grpc)); err != nil {
		return l, errors.Join(err, l.http.Close())
	}
	return l, nil
}

func orFree(address string) string {
	if address == "" {
		return "127.0.0.1:0"
	}
	return address
}

// add makes a service one that runs.
func (s *System) add(n *node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes = append(s.nodes, n)
	s.starts[n.instance]++
	if n.keeper != nil {
		s.keeper = n.keeper
	}
	names := s.config.instances()
	slices.SortFunc(s.nodes, func(a, b *node) int { return slices.Index(names, a.instance) - slices.Index(names, b.instance) })
}

// running lists the services that run.
func (s *System) running() []*node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.nodes)
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

// serveAll runs the servers of a service.
func (s *System) serveAll(n *node) {
	n.beginFeeding(s.config)
	s.serve(n, func() error { return n.httpServer.Serve(n.listeners.http, s.config.Connections) })
	s.serve(n, func() error { return n.grpcServer.Serve(n.listeners.grpc, s.config.Connections) })
}

// serve runs a server; if it ends by itself, Failed tells.
func (s *System) serve(n *node, server func() error) {
	s.serving.Go(func() error {
		n.telemetry.Labels.Service()
		err := wrap(n.name, server())
		if !n.life.Alive() { // it was killed
			return nil
		}
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

// Ready waits until every service here has all it needs, its peers apart.
func (s *System) Ready(ctx context.Context) error {
	err := poll.Until(ctx, 5*time.Millisecond, func(context.Context) error {
		var missing []string
		for _, n := range s.running() {
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

// Held is how many messages consumers here were given and are not done with, of the services that run.
func (s *System) Held() int {
	n := 0
	for _, node := range s.running() {
		for _, broker := range node.brokers {
			n += broker.Held()
		}
	}
	return n
}

// Skipped counts the records that no consumer here could decode, of the services that run.
func (s *System) Skipped() int64 {
	var n int64
	for _, node := range s.running() {
		for _, broker := range node.brokers {
			n += broker.Skipped()
		}
	}
	return n
}
