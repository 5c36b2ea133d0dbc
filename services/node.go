package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	carriergrpc "tracelab/services/internal/carrier/grpc"
	carrierhttp "tracelab/services/internal/carrier/http"

	"tracelab/internal/process"
	"tracelab/internal/telemetry"
	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/graphql"
)

// node is what every service has: its name, its telemetry, its servers, and its ways to the others.
type node struct {
	name          string // of the service
	instance      string // its name among all of the process: that of the service, and its number where it has several
	flow          *flowWork
	keeper        *keeper // nil but for the service of the entry step
	allowFaults   bool
	repeatEffects bool // do a step again that has been done
	store         *Store
	handlings     *handlingIDs
	fired         *firedFaults     // of the process
	crashes       *crashes         // of the process
	crash         func(*node) bool // ends the service within its own work; false: not now
	exits         bool             // with its process, which begins anew without knowing of the crashes before
	began         time.Time
	hopFaults     hopFaults
	overtaken     overtaken
	calls         *callCounts          // of all services of the process
	policies      map[Step]*callPolicy // of the steps that are called with one
	workers       *workers             // nil: as many calls and messages at a time as come
	callMetrics   callMetrics
	telemetry     *telemetry.Provider
	queue         *telemetry.Queue // of the process; nil: its spans go nowhere, or where the lab counts them
	process       string

	httpServer *carrierhttp.Server
	grpcServer *carriergrpc.Server
	listeners  listeners
	life       *process.Process // what it does over the network
	http       *carrierhttp.Client
	grpc       *carriergrpc.Client
	brokers    map[flows.Carrier]carrier.Broker // none for the gateway, and without a broker
	queries    *graphql.Schema                  // nil for the gateway, and for a flow that has nothing carried by graphql
	view       *view                            // nil but for the service of the entry step, where a form reads one
	feeding    feeding

	ready    func(context.Context) []string
	draining atomic.Bool
}

// listeners are where a service answers.
type listeners struct {
	http, grpc net.Listener
	process    *process.Process
}

// probes are the questions that an orchestrator asks.
func (n *node) probes() {
	n.httpServer.Plain("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		carrierhttp.WriteJSON(w, http.StatusOK, map[string]string{"service": n.name, "status": "alive"})
	}))
	n.httpServer.Plain("GET /runs/{run}/spans/here", http.HandlerFunc(n.reportSpans))
	n.httpServer.Plain("GET /runs/{run}/calls/here", http.HandlerFunc(n.reportCalls))
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
	missing = append(missing, n.waiting()...)
	if n.ready != nil {
		missing = append(missing, n.ready(ctx)...)
	}
	return missing
}

// stopServing takes no more requests and calls and waits for those that it has. The connections that the service's own
// client holds in reserve go, too: the server behind such a one waits seconds for it when it has never been used.
func (n *node) stopServing(ctx context.Context) error {
	n.stopFeeding()
	err := errors.Join(n.httpServer.Shutdown(ctx), n.grpcServer.Shutdown(ctx))
	n.http.Close()
	return wrap(n.name, err)
}

// drain finishes and commits the messages in work.
func (n *node) drain(ctx context.Context) error {
	var errs []error
	for _, broker := range n.brokers {
		errs = append(errs, broker.Drain(ctx))
	}
	return errors.Join(errs...)
}

// close gives back what drain has left.
func (n *node) close(ctx context.Context) error {
	n.stopFeeding()
	if n.keeper != nil && n.keeper.outbox != nil {
		n.keeper.outbox.close()
		defer n.keeper.outbox.await()
	}
	for _, broker := range n.brokers {
		broker.Close(ctx)
	}
	if n.keeper != nil {
		n.keeper.backlogs.looks.Wait()
	}
	n.feeding.work.Wait()
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
