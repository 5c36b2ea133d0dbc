package services

import (
	"context"
	"fmt"
	"slices"
	"time"

	carriergrpc "tracelab/services/internal/carrier/grpc"
	carrierhttp "tracelab/services/internal/carrier/http"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
)

// newNode creates an instance of a service with its routes. It is not connected to brokers yet.
func (s *System) newNode(instance string, l listeners) (*node, error) {
	config := s.config.Telemetry
	config.Alive = l.process.Alive
	name, number := splitInstance(instance)
	if number > 0 {
		config.Instance = fmt.Sprintf("%s.%d", config.Instance, number)
	}
	starts := s.startsOf(instance)
	if starts > 0 {
		config.Instance = fmt.Sprintf("%s-%d", config.Instance, starts+1)
	}
	if name == Gateway {
		config.Propagator = outside{config.Propagator, s.flow.Flow}
	}
	hops := hopFaults{config.Propagator, name, s.flow.Flow, s.fired}
	if s.config.AllowFaults {
		config.Propagator = hops
	}
	provider, err := config.New(name)
	if err != nil {
		return nil, err
	}
	n := &node{name: name, instance: instance, flow: s.flow, allowFaults: s.config.AllowFaults, repeatEffects: s.config.NoDedupe,
		store: s.store(name).of(l.process), handlings: s.handlings, fired: s.fired, crashes: s.crashes, crash: s.crash, exits: s.config.Die != nil, began: time.Now(), hopFaults: hops, calls: s.calls, workers: newWorkersOf(name, s.config), telemetry: provider, listeners: l, life: l.process, brokers: map[flows.Carrier]carrier.Broker{},
		queue: s.config.Telemetry.Queue(), process: s.config.Telemetry.Host + "/" + s.config.Telemetry.Instance}
	n.httpServer, n.grpcServer = carrierhttp.NewServer(provider), carriergrpc.NewServer(provider)
	retries := slices.ContainsFunc(s.flow.Rows, func(r flows.Row) bool { return !r.Retry.IsZero() })
	n.http = carrierhttp.NewClient(n.life.Dial, provider, lookup(s.config.HTTP), retries)
	n.grpc = carriergrpc.NewClient(n.life.Dial, provider, lookup(s.config.GRPC), s.flow.RPCService, retries)
	n.policies = newCallPolicies(n)
	if n.callMetrics, err = newCallMetrics(n); err != nil {
		return n, err
	}
	n.probes()
	if name == Gateway {
		return n, newGateway(n)
	}
	if err := n.serveQueries(); err != nil {
		return n, err
	}
	switch name {
	case s.flow.Entry().Service():
		if n.keeper, err = newKeeper(n, s.config); err != nil {
			return n, err
		}
		if n.view, err = newView(n, s.config); err != nil {
			return n, err
		}
		if starts > 0 { // the orders that the killed instance held in memory are lost
			disowning, cancel := context.WithTimeout(context.Background(), storeTimeout)
			defer cancel()
			if err := s.disown(disowning, n); err != nil {
				return n, err
			}
		}
		n.serveSteps(n.keeper.accept)
	default:
		n.serveSteps(nil)
	}
	return n, nil
}
