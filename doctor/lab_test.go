package doctor_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/doctor"
	"tracelab/internal/otlp"
	"tracelab/internal/testkit"
	"tracelab/services"
	"tracelab/services/flows"
)

// testLab is a whole lab in this process: the seven services, each a system of its own as processes are, on a Kafka, and
// what takes their spans. Behind that stand servers that answer as Jaeger, the collector's extensions, Prometheus, Grafana
// and Pyroscope do.
type testLab struct {
	flow      *flows.Flow
	kafka     *kfake.Cluster
	rabbitmq  []string           // host:port; most labs have none
	systems   []*services.System // those that become ready
	collector *testkit.SpanStore
	receiver  *otlp.Receiver
	jaeger    *jaegerServer
	metrics   *collectorServer
	numbers   *prometheusServer
	screens   *screenServer
	config    doctor.Config
}

// odd is how one service is started otherwise than the others.
type odd struct {
	absent     bool
	noKafka    bool
	noRabbitMQ bool
	noOTLP     bool
	unready    bool // nobody waits until it is ready
	otlp       string
	propagator propagation.TextMapPropagator
	http, grpc map[string]string // what it believes of the others' addresses
}

// mill is a flow with names that stand nowhere else, over each carrier.
const mill = `flow: mill
unit: sack
body: {farmer: text 1..10}
steps:
  farm.Bring: {wait: 1ms}
  stone.Grind: {after: farm.Bring, message: corn.brought, wait: 1ms}
  sieve.Sift: {after: stone.Grind, message: corn.ground, wait: 1ms}
  cart.Carry: {after: sieve.Sift, message: corn.sifted, wait: 1ms}
forms:
  walked: {each: http}
  rung: {each: grpc}
  carried: {each: kafka, farm.Bring: grpc}
  posted: {each: rabbitmq, farm.Bring: grpc}
`

// ownFlow is the flow mill.
func ownFlow(t *testing.T) *flows.Flow {
	t.Helper()
	flow, err := flows.Parse("mill.yaml", []byte(mill))
	if err != nil {
		t.Fatal(err)
	}
	return flow
}

// startLab starts one of the flow order; it ends with the test.
func startLab(t *testing.T, rabbitmq ...string) *testLab {
	t.Helper()
	return startFlow(t, flows.Order(), nil, rabbitmq...)
}

// startFlow starts one of a flow.
func startFlow(t *testing.T, flow *flows.Flow, odds map[string]odd, rabbitmq ...string) *testLab {
	t.Helper()
	l := &testLab{flow: flow, collector: testkit.NewSpanStore(), rabbitmq: rabbitmq}
	var err error
	if l.kafka, err = kfake.NewCluster(kfake.NumBrokers(1)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.kafka.Close)
	if l.receiver, err = otlp.StartReceiver(otlp.ReceiverConfig{Address: "127.0.0.1:0", Keep: l.collector.Add, Logger: discard}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.receiver.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	overGRPC, overHTTP := l.receiver.Addresses()
	http, grpc := freeAddresses(t, flow)
	for _, name := range flow.Services() {
		if o := odds[name]; !o.absent {
			l.startService(t, name, o, http, grpc, overGRPC)
		}
	}
	l.awaitReady(t)
	l.jaeger = newJaeger(t, l.collector)
	l.metrics = newCollector(t, l.collector)
	l.numbers = newPrometheus(t, l.collector)
	l.numbers.services = flow.Services()
	l.screens = newScreens(t)
	l.config = doctor.Config{
		Flow: flow, Gateway: "http://" + http[services.Gateway], Kafka: l.kafka.ListenAddrs(), RabbitMQ: rabbitmq, OTLP: []string{overGRPC, "http://" + overHTTP},
		Collector: l.metrics.url, CollectorMetrics: l.metrics.url, Jaeger: l.jaeger.url, JaegerHealth: l.jaeger.url,
		Prometheus: l.numbers.url, Grafana: l.screens.url, Pyroscope: l.screens.url,
		Timeout: time.Minute, Version: "test", Logger: discard,
	}
	return l
}

func (l *testLab) startService(t *testing.T, name string, o odd, http, grpc map[string]string, to string) {
	t.Helper()
	config := services.Config{
		Services: []string{name}, Flow: l.flow, HTTP: overridden(http, o.http), GRPC: overridden(grpc, o.grpc), Workers: 8, Network: services.TCP(),
		Telemetry: telemetry.Config{Host: "lab", Instance: name, Version: "test", Propagator: services.Propagator(discard), BaggageKeys: services.BaggageKeys()},
	}
	if o.propagator != nil {
		config.Telemetry.Propagator = o.propagator
	}
	if !o.noKafka {
		config.Kafka = l.kafka.ListenAddrs()
	}
	if !o.noRabbitMQ {
		config.RabbitMQ = l.rabbitmq
	}
	if o.otlp != "" {
		to = o.otlp
	}
	stop := func(context.Context) error { return nil }
	if !o.noOTLP {
		exporter, err := otlp.NewTraceExporter(t.Context(), endpoint(t, to))
		if err != nil {
			t.Fatal(err)
		}
		queue := telemetry.NewQueue(exporter, telemetry.QueueConfig{Interval: 20 * time.Millisecond, Timeout: 2 * time.Second})
		config.Telemetry.Processors = []sdktrace.SpanProcessor{queue}
		stop = queue.Shutdown
	}
	system, err := services.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		// A service that was broken on purpose may not end well, and that is not what is tested here.
		if err := errors.Join(system.Shutdown(ctx), stop(ctx)); err != nil {
			t.Log(err)
		}
	})
	if !o.unready {
		l.systems = append(l.systems, system)
	}
}

// awaitReady waits for all services: one that keeps a view waits for those that feed it.
func (l *testLab) awaitReady(t *testing.T) {
	t.Helper()
	ready, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, system := range l.systems {
		if err := system.Ready(ready); err != nil {
			t.Fatal(err)
		}
	}
}

func overridden(addresses, some map[string]string) map[string]string {
	all := maps.Clone(addresses)
	maps.Copy(all, some)
	return all
}

// freeAddresses gives every service an address for HTTP and one for gRPC.
func freeAddresses(t *testing.T, flow *flows.Flow) (http, grpc map[string]string) {
	t.Helper()
	http, grpc = map[string]string{}, map[string]string{}
	ports := testkit.FreePorts(t, 2*len(flow.Services()))
	for i, name := range flow.Services() {
		http[name], grpc[name] = ports[2*i], ports[2*i+1]
	}
	return http, grpc
}

// nobody is an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	return testkit.FreePort(t)
}

// endpoint is an OTLP address that the test knows to be right.
func endpoint(t testing.TB, address string) otlp.Endpoint {
	t.Helper()
	e, err := otlp.ParseEndpoint(address)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
