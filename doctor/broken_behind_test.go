package doctor_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/propagation"

	"tracelab/doctor"
	"tracelab/internal/testkit"
	"tracelab/services"
)

func collectorBreakages() []breakage {
	behind := func(state string) func(*testing.T, *testLab, *doctor.Config) {
		return func(t *testing.T, l *testLab, c *doctor.Config) {
			metrics := newCollector(t, l.collector)
			metrics.set(state)
			c.CollectorMetrics = metrics.url
		}
	}
	return []breakage{
		{name: "the collector is down", want: "collector", seen: []string{"connection refused"}, fix: "start the collector",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Collector = "http://" + nobody(t) }},
		{name: "the collector is not well", want: "collector", seen: []string{"503", "StatusPermanentError"}, fix: "its log",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.Collector = l.metrics.url + "/unwell/status" }},
		{name: "a page in place of the collector's metrics", want: "collector-metrics", seen: []string{"HTML page"}, fix: "--collector-metrics",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.CollectorMetrics = l.jaeger.url }},
		{name: "metrics that are not the collector's", want: "collector-metrics", seen: []string{"no metric there is a collector's own"}, fix: "8888",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.CollectorMetrics = l.screens.url + "/ready" }},
		{name: "nobody behind the collector", want: "collector-export", seen: []string{"0 spans sent", "no connection", "UNAVAILABLE"}, fix: "COLLECTOR_JAEGER",
			cut: behind("UNAVAILABLE")},
		{name: "a black hole behind the collector", want: "collector-export", seen: []string{"DEADLINE_EXCEEDED", "does not answer in time"}, fix: "COLLECTOR_JAEGER",
			cut: behind("DEADLINE_EXCEEDED")},
		{name: "no otlp behind the collector", want: "collector-export", seen: []string{"jaeger:4317 answers UNIMPLEMENTED", "were given up"}, fix: "these spans are lost",
			cut: behind("UNIMPLEMENTED")},
		{name: "no room in the queue", want: "collector-export", seen: []string{"found no place"}, fix: "COLLECTOR_QUEUE",
			cut: behind("no room")},
		{name: "a queue that is nearly full", want: "collector-export", seen: []string{"90 of 100 places", "nearly full"}, fix: "slower",
			cut: behind("nearly full")},
		{name: "a processor that drops spans", want: "collector-export", seen: []string{"did not reach the exporter"}, fix: "processors",
			cut: behind("dropped")},
		{name: "jaeger is down", want: "jaeger", seen: []string{"connection refused"}, fix: "start Jaeger",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Jaeger, c.JaegerHealth = "http://"+nobody(t), "" }},
		{name: "jaeger's health is down", want: "jaeger", seen: []string{"/status: connection refused"}, fix: "--jaeger-health",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.JaegerHealth = "http://" + nobody(t) }},
		{name: "another server in place of jaeger", want: "jaeger", seen: []string{"not Jaeger"}, fix: "16686",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.Jaeger = l.numbers.url }},
		{name: "another jaeger", want: "otlp-to-jaeger", seen: []string{"Jaeger does not have it"}, fix: "COLLECTOR_JAEGER",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Jaeger = newJaeger(t, testkit.NewSpanStore()).url }},
	}
}

func traceBreakages() []breakage {
	everybody := map[string]odd{}
	for _, name := range []string{services.Gateway, "farm", "stone", "sieve", "cart"} {
		everybody[name] = odd{noOTLP: true}
	}
	return []breakage{
		{name: "a service without otlp", want: "trace-walked", seen: []string{"sieve worked on order", "missing: sieve)"}, fix: "how sieve is started: --otlp",
			odds: map[string]odd{"sieve": {noOTLP: true}}},
		{name: "a service with a wrong otlp port", want: "trace-walked", seen: []string{"missing: cart)"}, fix: "how cart is started: --otlp",
			odds: map[string]odd{"cart": {otlp: "127.0.0.1:1"}}},
		{name: "no service has otlp", want: "trace-walked", seen: []string{"no span of any service"}, fix: "how gateway is started",
			odds: everybody},
		{name: "a service that takes no context", want: "trace-walked", seen: []string{"from farm to sieve over HTTP", "sieve.Sift of sieve is in another trace"}, fix: "traceparent",
			odds: map[string]odd{"sieve": {propagator: propagation.Baggage{}}}},
		{name: "a gateway that takes no context", want: "trace-walked", seen: []string{"from the doctor to gateway over HTTP", "is in another trace"}, fix: "traceparent",
			odds: map[string]odd{services.Gateway: {propagator: propagation.Baggage{}}}},
		{name: "a service that takes nothing at all", want: "trace-walked", seen: []string{"from farm to sieve over HTTP", "is in another trace"}, fix: "baggage",
			odds: map[string]odd{"sieve": {propagator: propagation.NewCompositeTextMapPropagator()}}},
		{name: "messages lose the context", want: "trace-carried", seen: []string{"from stone to sieve by a message on corn.ground"}, fix: "traceparent",
			odds: map[string]odd{"sieve": {propagator: forgetful{services.Propagator(discard), "otelkgo"}}}},
	}
}

// forgetful takes no trace context out of a message that an instrumentation has received.
type forgetful struct {
	propagation.TextMapPropagator
	instrumentation string // its package
}

// Extract goes by the carrier's package.
func (f forgetful) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	if strings.Contains(fmt.Sprintf("%T", carrier), f.instrumentation) {
		return propagation.Baggage{}.Extract(ctx, carrier)
	}
	return f.TextMapPropagator.Extract(ctx, carrier)
}

func screenBreakages() []breakage {
	with := func(change func(*prometheusServer)) func(*testing.T, *testLab, *doctor.Config) {
		return func(t *testing.T, l *testLab, c *doctor.Config) {
			numbers := newPrometheus(t, l.collector)
			change(numbers)
			c.Prometheus = numbers.url
		}
	}
	return []breakage{
		{name: "prometheus is down", want: "prometheus", seen: []string{"connection refused"}, fix: "start Prometheus",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Prometheus = "http://" + nobody(t) }},
		{name: "prometheus scrapes nothing", want: "prometheus-targets", seen: []string{"it has no scrape targets"}, fix: "scrape_configs",
			cut: with(func(s *prometheusServer) { s.targets = "" })},
		{name: "a target is down", want: "prometheus-targets", seen: []string{"http://collector:8889/metrics (job services) is down: no route"}, fix: "prometheus.yaml",
			cut: with(func(s *prometheusServer) {
				s.targets = `{"scrapeUrl":"http://collector:8889/metrics","health":"down","lastError":"no route","labels":{"job":"services"}}`
			})},
		{name: "metrics of a service do not arrive", want: "prometheus-metrics", seen: []string{"of payment has counted the order"}, fix: "how payment is started",
			cut: with(func(s *prometheusServer) { s.stuck["http_server_request_duration"] = true })},
		{name: "spans are not counted", want: "prometheus-spans", seen: []string{"traces_span_metrics_calls_total of payment"}, fix: "span_metrics",
			cut: with(func(s *prometheusServer) { s.stuck["traces_span_metrics_calls_total"] = true })},
		{name: "no exemplars", want: "prometheus-exemplars", seen: []string{"no response time metric has an exemplar"}, fix: "exemplar-storage",
			cut: with(func(s *prometheusServer) { s.exemplars = false })},
		{name: "grafana is down", want: "grafana", seen: []string{"connection refused"}, fix: "start Grafana",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Grafana = "http://" + nobody(t) }},
		{name: "pyroscope is down", want: "pyroscope", seen: []string{"connection refused"}, fix: "start Pyroscope",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Pyroscope = "http://" + nobody(t) }},
		{name: "no profiles", want: "pyroscope", seen: []string{"no profile of the services"}, fix: "--pyroscope",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) {
				screens := newScreens(t)
				screens.profiled = `["pyroscope"]`
				c.Pyroscope = screens.url
			}},
	}
}
