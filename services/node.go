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

// node is one instance of a service, with all that every service has: its name, its telemetry, its servers, and its clients of the other services.
type node struct {
	name          string // of the service
	instance      string // unique in the process: the name of the service, and its number if it has several instances
	flow          *flowWork
	keeper        *keeper // nil but for the service of the entry step
	allowFaults   bool
	repeatEffects bool // Config.NoDedupe
	store         *Store
	handlings     *handlingIDs
	fired         *firedFaults     // of the process
	crashes       *crashes         // of the process
	crash         func(*node) bool // crashes the service within its own work; false: it cannot crash now
	exits         bool             // a crash ends the process; the next one does not know of earlier crashes
	began         time.Time
	hopFaults     hopFaults
	overtaken     overtaken
	calls         *callCounts          // of all services of the process
	policies      map[Step]*callPolicy // of the steps that are called with one
	workers       *workers             // limits calls and messages in work; nil: no limit
	callMetrics   callMetrics
	telemetry     *telemetry.Provider
	queue         *telemetry.Queue // of spans to export, of the process; nil: the spans go nowhere, or the lab counts them itself
	process       string

	httpServer *carrierhttp.Server
	grpcServer *carriergrpc.Server
	listeners  listeners
	life       *process.Process // controls all that it does over the network: it can be paused and killed
	http       *carrierhttp.Client
	grpc       *carriergrpc.Client
	brokers    map[flows.Carrier]carrier.Broker // empty for the gateway, and without a broker
	queries    *graphql.Schema                  // nil for the gateway, and for a flow without the carrier graphql
	view       *view                            // nil but for the service of the entry step, where a form reads one
	feeding    feeding

	ready    func(context.Context) []string
	draining atomic.Bool
}

// listeners are what the servers of a service listen on.
type listeners struct {
	http, grpc net.Listener
	process    *process.Process
}

// probes adds the routes for an orchestrator (/healthz, /readyz) and for the lab's own counts.
func (n *node) probes() {
	n.httpServer.Plain("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		carrierhttp.WriteJSON(w, http.StatusOK, map[string]string{"service": n.name, "status": "alive"})
	}))
	n.httpServer.Plain("GET /runs/{run}/spans/here", http.HandlerFunc(n.reportSpans))
	n.httpServer.Plain("GET /runs/{run}/calls/here", http.HandlerFunc(n.reportCalls))
	n.httpServer.Plain("GET "+ReadyPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if missing := n.notReady(r.Context()); len(missing) > 0 {
			carrierhttp.WriteJSON(w, http.StatusServiceUnavailable, Readiness{Service: n.name, Status: "not ready", Waiting: missing})
			return
		}
		carrierhttp.WriteJSON(w, http.StatusOK, Readiness{Service: n.name, Status: "ready", FaultsAllowed: &n.allowFaults})
	}))
}

// notReady lists why the service is not ready; it is empty when it is.
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

// stopServing refuses new requests and calls and waits for those in work. It also closes the idle connections of the service's own client: a
// server that shuts down waits seconds for a connection that was never used.
func (n *node) stopServing(ctx context.Context) error {
	n.stopFeeding()
	err := errors.Join(n.httpServer.Shutdown(ctx), n.grpcServer.Shutdown(ctx))
	n.http.Close()
	return wrap(n.name, err)
}

// drain waits for the messages in work and commits them.
func (n *node) drain(ctx context.Context) error {
	var errs []error
	for _, broker := range n.brokers {
		errs = append(errs, broker.Drain(ctx))
	}
	return errors.Join(errs...)
}

// close releases all that is left after drain.
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
	return n.grpc.Close()
}

// misbehaved returns the failure of a request that an injected fault has ended outside any step.
func misbehaved(err error) error {
	if fault, ok := errors.AsType[*faults.Error](err); ok {
		return carrier.Fail("", fault.Reason, "injected fault")
	}
	return err
}

// wrap puts a name before an error, and returns nil for none.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
