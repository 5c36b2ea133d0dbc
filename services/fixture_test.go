package services

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/postgres/postgrestest"
	"tracelab/internal/telemetry"
	"tracelab/internal/testmain"
	"tracelab/otelamqp/amqptest"
	carrierhttp "tracelab/services/internal/carrier/http"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"tracelab/services/flows"
)

// postgresServer is the real PostgreSQL of the tests that want one.
var postgresServer postgrestest.Shared

// TestMain finds goroutines that a test on the loopback has left. A bubble finds its own.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(postgresServer.Main(m), goleak.Cleanup(testmain.Exit))
}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// testLab is all seven services on an embedded Kafka and an AMQP broker in this process, with every ended span and every log record in memory, and a
// client that places orders.
type testLab struct {
	*testing.T
	config  Config
	cluster *kfake.Cluster
	rabbit  *amqptest.Broker
	system  *System
	spans   *tracetest.SpanRecorder
	logs    *logBuffer
	own     *telemetry.Provider // the client's
	client  *http.Client
	virtual bool // in virtual time
}

// inBubble runs f with a lab on a virtual network in virtual time. The bubble fails when a goroutine is left.
func inBubble(t *testing.T, f func(l *testLab), changes ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &kfake.VirtualNetwork{}
		l := newTestLab(t, Network{Listen: network.Listen, Dial: network.DialContext}, "127.0.0.1:5672")
		l.config.HTTP, l.config.GRPC = DefaultAddresses(flows.Order())
		l.virtual = true
		l.with(f, changes)
	})
}

// onLoopback runs f with a lab on real sockets.
func onLoopback(t *testing.T, f func(l *testLab), changes ...func(*Config)) {
	t.Helper()
	newTestLab(t, TCP(), "127.0.0.1:0").with(f, changes)
}

// newTestLab makes a lab whose services are not started: a cluster, and a configuration that names it.
func newTestLab(t *testing.T, network Network, rabbitmq string) *testLab {
	t.Helper()
	l := &testLab{T: t, spans: tracetest.NewSpanRecorder(), logs: &logBuffer{}}
	var err error
	l.cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen))
	l.must(err)
	l.rabbit = &amqptest.Broker{}
	listener, err := network.Listen("tcp", rabbitmq)
	l.must(err)
	l.rabbit.Serve(listener)
	handler := slog.NewJSONHandler(l.logs, &slog.HandlerOptions{Level: slog.LevelDebug})
	l.config = Config{
		Services: Names(), Kafka: l.cluster.ListenAddrs(), RabbitMQ: []string{listener.Addr().String()}, Workers: DefaultWorkers, AllowFaults: true, Network: network,
		Telemetry: telemetry.Config{
			Version: "test", Host: "host", Instance: "1", Processors: []sdktrace.SpanProcessor{l.spans},
			Propagator: Propagator(slog.New(handler)), Logs: handler, BaggageKeys: BaggageKeys(),
		},
	}
	l.own, err = l.config.Telemetry.New("client")
	l.must(err)
	l.client = &http.Client{Transport: &http.Transport{DialContext: network.Dial}}
	return l
}

// with starts the services, runs f, and stops everything that f has not stopped.
func (l *testLab) with(f func(l *testLab), changes []func(*Config)) {
	l.Helper()
	for _, change := range changes {
		change(&l.config)
	}
	defer l.closeBrokers()
	defer l.client.CloseIdleConnections()
	l.start()
	defer func() {
		if l.system != nil {
			l.must(l.stop(patience))
		}
	}()
	f(l)
}

func (l *testLab) closeBrokers() {
	l.cluster.Close()
	l.rabbit.Close()
}

// start starts the services and waits until they are ready.
func (l *testLab) start() {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	l.system, err = Start(ctx, l.config)
	l.must(err)
	l.must(l.system.Ready(ctx))
	if l.virtual {
		// Fetches that began before all partitions were there end, so that durations are exact. Real time needs no such thing.
		time.Sleep(300 * time.Millisecond)
	}
}

// stop shuts the services down within a time.
func (l *testLab) stop(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	system := l.system
	l.system = nil
	return system.Shutdown(ctx)
}

// must ends the test on an error.
func (l *testLab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// answer is what the gateway answered.
type answer struct {
	status int // 0: nothing
	header http.Header
	body   []byte
	err    error
	trace  trace.TraceID // of the order
}

// id is the order's, from the Location.
func (a answer) id() string {
	location := a.header.Get("Location")
	return location[strings.LastIndex(location, "/")+1:]
}

// problem reads the body of an error.
func (a answer) problem(t *testing.T) carrierhttp.Problem {
	t.Helper()
	var p carrierhttp.Problem
	if err := json.Unmarshal(a.body, &p); err != nil || a.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %s %q is no problem document: %v", a.status, a.header.Get("Content-Type"), a.body, err)
	}
	return p
}

// kettle is an order that cannot be reserved; tea one that can.
var (
	tea    = Placement{"customer": "ada", "sku": "tea-green", "quantity": 2}
	kettle = Placement{"customer": "ada", "sku": "kettle", "quantity": 4}
)

// place places an order under a client span, with an experiment in its baggage.
func (l *testLab) place(e Experiment, p Placement, headers ...string) answer {
	l.Helper()
	return l.placeWithin(context.Background(), e, p, headers...)
}

// placeWithin is place by a client that gives up with the context.
func (l *testLab) placeWithin(ctx context.Context, e Experiment, p Placement, headers ...string) answer {
	l.Helper()
	return l.placeAt(ctx, l.system.Address(Gateway), e, p, headers...)
}

// placeAt is placeWithin at an address, where the services may have been shut down meanwhile.
func (l *testLab) placeAt(ctx context.Context, address string, e Experiment, p Placement, headers ...string) answer {
	l.Helper()
	ctx, err := e.WithBaggage(ctx)
	l.must(err)
	ctx, span := l.own.Tracer.Start(ctx, "place", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	body, err := json.Marshal(p)
	l.must(err)
	header := http.Header{"Content-Type": {"application/json"}}
	l.config.Telemetry.Propagator.Inject(ctx, propagation.HeaderCarrier(header))
	for i := 0; i < len(headers); i += 2 {
		header.Add(headers[i], headers[i+1])
	}
	a := l.sendTo(ctx, address, http.MethodPost, l.config.flow().Path, string(body), header)
	a.trace = span.SpanContext().TraceID()
	return a
}

// send sends a request to the gateway as it is.
func (l *testLab) send(ctx context.Context, method, path, body string, header http.Header) answer {
	l.Helper()
	return l.sendTo(ctx, l.system.Address(Gateway), method, path, body, header)
}

// post sends JSON to a service behind the gateway.
func (l *testLab) post(service, path, body string) answer {
	l.Helper()
	return l.sendTo(context.Background(), l.system.Address(service), http.MethodPost, path, body, http.Header{"Content-Type": {"application/json"}})
}

func (l *testLab) sendTo(ctx context.Context, address, method, path, body string, header http.Header) answer {
	l.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, strings.NewReader(body))
	l.must(err)
	maps.Copy(req.Header, header)
	resp, err := l.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: text, err: err}
}

// state asks for an order.
func (l *testLab) state(id string) State {
	l.Helper()
	a := l.send(context.Background(), http.MethodGet, l.config.flow().Path+"/"+id, "", nil)
	if a.status != http.StatusOK {
		l.Fatalf("GET /orders/%s answered %d %s", id, a.status, a.body)
	}
	var s State
	l.must(json.Unmarshal(a.body, &s))
	return s
}

// await waits until an order is final and returns it.
func (l *testLab) await(id string) State {
	l.Helper()
	var s State
	l.until("order "+id+" is final", func() bool { s = l.state(id); return s.Status != Accepted })
	return s
}

// until waits for a condition. It looks every 2 ms, so that durations are exact, and after a second every 20 ms.
func (l *testLab) until(what string, holds func() bool) {
	l.Helper()
	pause := 2 * time.Millisecond
	for began := time.Now(); !holds(); time.Sleep(pause) {
		waited := time.Since(began)
		if waited > patience {
			l.Fatalf("%s: not so after %v", what, patience)
		}
		if waited > time.Second {
			pause = 20 * time.Millisecond
		}
	}
}

// orders lists a run's orders, as the gateway tells it.
func (l *testLab) orders(run string) []State {
	l.Helper()
	a := l.send(context.Background(), http.MethodGet, "/runs/"+run+"/orders", "", nil)
	var states []State
	if err := json.Unmarshal(a.body, &states); err != nil {
		l.Fatalf("GET /runs/%s/orders answered %d %s", run, a.status, a.body)
	}
	return states
}

// sorted is a sorted copy of steps.
func sorted(steps ...Step) []Step { return slices.Sorted(slices.Values(steps)) }
