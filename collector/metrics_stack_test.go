//go:build stack

package collector_test

import (
	"fmt"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	metricapi "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services"
)

const (
	calls   = "traces_span_metrics_calls"
	buckets = "traces_span_metrics_duration_milliseconds_bucket"
)

// awaitCalls waits until span_metrics has counted every span of the sender, for each service, and returns the exemplars seen by the way.
func (s *sender) awaitCalls(t testing.TB, c *collector) (exemplars map[string]bool) {
	t.Helper()
	exemplars = map[string]bool{}
	await(t, "span_metrics counts the spans", func() error {
		all := page(t, c.prometheus)
		for _, one := range all {
			if one.exemplar != "" && one.name == buckets {
				exemplars[one.exemplar] = true
			}
		}
		for service, want := range s.by {
			if got := sum(all, calls, "service_name", service); got != float64(want) {
				return fmt.Errorf("%s of %s: %.0f, want %d", calls, service, got, want)
			}
			if got := sum(all, "traces_span_metrics_duration_milliseconds_count", "service_name", service); got != float64(want) {
				return fmt.Errorf("durations of %s: %.0f, want %d", service, got, want)
			}
		}
		return nil
	})
	return exemplars
}

// TestSpansAreCountedAndExemplarsResolve also looks at the names and labels that Jaeger's monitor tab asks for.
func TestSpansAreCountedAndExemplarsResolve(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startCollector(t, collectorOptions{jaeger: j.otlp})
	s := newSender(t, c.otlp, telemetry.QueueConfig{})
	s.journeys(100)
	s.send(trace.SpanContext{}, time.Now(), spec{service: "orders", name: "orders.Accept", end: time.Millisecond, failed: true})
	s.finish(t)
	exemplars := s.awaitCalls(t, c)
	s.awaitArrival(t, j)
	if len(exemplars) == 0 {
		t.Error("no exemplar was seen")
	}
	traces := map[string]bool{}
	for _, span := range j.spans(t, senderServices) {
		traces[span.trace] = true
	}
	for id := range exemplars {
		if !traces[id] {
			t.Errorf("Jaeger does not know the exemplar's trace %s", id)
		}
	}
	all := page(t, c.prometheus)
	if got := sum(all, calls, "service_name", "orders", "span_name", "orders.Accept", "span_kind", "SPAN_KIND_INTERNAL", "status_code", "STATUS_CODE_ERROR"); got != 1 {
		t.Errorf("%.0f failed calls of orders.Accept by the labels that Jaeger asks for, want 1", got)
	}
	for _, one := range all {
		if one.name != "target_info" && one.labels["service_name"] == "" {
			t.Errorf("%s%v has no service_name", one.name, one.labels)
		}
	}
}

// TestWithoutExemplarsNoneAreSeen shows that the test above can fail.
func TestWithoutExemplarsNoneAreSeen(t *testing.T) {
	t.Parallel()
	c := startCollector(t, collectorOptions{configs: []string{"yaml:connectors::span_metrics::exemplars::enabled: false"}})
	s := newSender(t, c.otlp, telemetry.QueueConfig{})
	s.journeys(10)
	s.finish(t)
	if exemplars := s.awaitCalls(t, c); len(exemplars) > 0 {
		t.Errorf("%d exemplars although they are off", len(exemplars))
	}
}

// TestARestartedServiceContinuesItsSeries: another instance of a service is the same service to span_metrics.
func TestARestartedServiceContinuesItsSeries(t *testing.T) {
	t.Parallel()
	c := startCollector(t, collectorOptions{})
	for range 3 {
		s := newSender(t, c.otlp, telemetry.QueueConfig{})
		s.journeys(10)
		s.finish(t)
	}
	await(t, "all instances are counted in one series", func() error {
		n, total := 0, 0.0
		for _, one := range page(t, c.prometheus) {
			if one.name == calls+"_total" && one.labels["span_name"] == "POST /orders" {
				n++
				total += one.value
			}
		}
		if n != 1 || total != 30 {
			return fmt.Errorf("%d series with %.0f spans, want 1 with 30", n, total)
		}
		return nil
	})
}

// TestSpanNamesWithoutEndMakeFewSeries: what is over the limit is counted in one series.
func TestSpanNamesWithoutEndMakeFewSeries(t *testing.T) {
	t.Parallel()
	c := startCollector(t, collectorOptions{})
	s := newSender(t, c.otlp, telemetry.QueueConfig{})
	for i := range 1500 {
		s.send(trace.SpanContext{}, time.Now(), spec{service: "gateway", name: fmt.Sprint("GET /", i), end: time.Millisecond})
	}
	s.finish(t)
	s.awaitCalls(t, c)
	n := 0
	var overflow float64
	for _, one := range page(t, c.prometheus) {
		if one.name == calls+"_total" {
			n++
			if one.labels["otel_metric_overflow"] == "true" {
				overflow += one.value
			}
		}
	}
	if n != 1001 || overflow != 500 {
		t.Errorf("%d series with %.0f spans beyond the limit, want 1001 with 500", n, overflow)
	}
}

// TestAPrefixedTopicIsCountedUnderItsTemplate: a run's prefix would otherwise make new series in every run.
func TestAPrefixedTopicIsCountedUnderItsTemplate(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startCollector(t, collectorOptions{jaeger: j.otlp})
	s := newSender(t, c.otlp, telemetry.QueueConfig{})
	for _, prefix := range []string{"run-1.", "run-2.", ""} {
		attributes := []attribute.KeyValue{attribute.String("messaging.destination.name", prefix+"order.placed")}
		if prefix != "" {
			attributes = append(attributes, attribute.String("messaging.destination.template", "order.placed"))
		}
		s.send(trace.SpanContext{}, time.Now(), spec{service: "orders", name: "send order.placed", end: time.Millisecond, attributes: attributes})
	}
	s.finish(t)
	s.awaitCalls(t, c)
	if got := sum(page(t, c.prometheus), calls, "messaging_destination_name", "order.placed"); got != 3 {
		t.Errorf("%.0f calls under order.placed, want 3", got)
	}
	s.awaitArrival(t, j)
	names := map[string]bool{}
	for _, span := range j.spans(t, senderServices) {
		names[span.tags["messaging.destination.name"]] = true
	}
	if len(names) != 3 {
		t.Errorf("Jaeger has the topics %v, want them as they were sent", names)
	}
}

// TestMetricsOfServicesKeepTheirNames: every series has the service's name, and no label of the host. A topic with a prefix, of which a metric has the
// template alone, stands under the label that all topics have.
func TestMetricsOfServicesKeepTheirNames(t *testing.T) {
	t.Parallel()
	c := startCollector(t, collectorOptions{})
	exporter, err := otlpmetricgrpc.New(t.Context(), otlpmetricgrpc.WithEndpoint(c.otlp), otlpmetricgrpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"orders", "payment"} {
		provider := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(exporter)), metric.WithResource(resource.NewSchemaless(
			attribute.String("service.name", service), attribute.String("service.instance.id", service+"-1"), attribute.String("host.name", "lab"))))
		counter, err := provider.Meter("test").Int64Counter("tracelab.orders")
		if err != nil {
			t.Fatal(err)
		}
		counter.Add(t.Context(), 7, metricapi.WithAttributes(attribute.String("messaging.destination.template", "order.placed")))
		if err := provider.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all := page(t, c.prometheus)
	for _, service := range []string{"orders", "payment"} {
		if got := sum(all, "tracelab_orders", "service_name", service, "service_instance_id", service+"-1", "job", service, "instance", service+"-1", "messaging_destination_name", "order.placed"); got != 7 {
			t.Errorf("tracelab_orders_total of %s: %.0f, want 7", service, got)
		}
	}
	for _, one := range all {
		if one.labels["host_name"] != "" || one.labels["otel_scope_name"] != "" {
			t.Errorf("%s%v: want no label of host and scope", one.name, one.labels)
		}
	}
}

// TestNothingPrivateGetsThrough: baggage and captured headers are deleted on the way to Jaeger, and nothing that only looks like them.
func TestNothingPrivateGetsThrough(t *testing.T) {
	t.Parallel()
	private := []string{
		"baggage", "baggage.user.email", "app.baggage.tenant", "baggage_user", "http.request.header.baggage", "http.request.header.cookie", "http.response.header.set-cookie",
		"http.response.header.set_cookie", "http.request.header.authorization", "http.request.header.Authorization", "http.request.header.proxy-authorization",
		"rpc.request.metadata.authorization", "rpc.grpc.request.metadata.baggage", "http.request.header.x-api-key", "messaging.kafka.header.baggage",
		services.KeySeed, services.KeyFaults, services.KeyRelation, services.KeyFlow,
	}
	public := append(services.BaggageKeys(), "tracelab.step", "http.request.header.content-type", "authorization.decision", "cookies", "enduser.id")
	j := startJaeger(t)
	c := startCollector(t, collectorOptions{jaeger: j.otlp})
	s := newSender(t, c.otlp, telemetry.QueueConfig{})
	var attributes []attribute.KeyValue
	for _, key := range append(append([]string{}, private...), public...) {
		attributes = append(attributes, attribute.String(key, "value"))
	}
	s.send(trace.SpanContext{}, time.Now(), spec{service: "orders", name: "orders.Accept", end: time.Millisecond, attributes: attributes})
	s.finish(t)
	s.awaitArrival(t, j)
	tags := j.spans(t, senderServices)[0].tags
	for _, key := range private {
		if _, ok := tags[key]; ok {
			t.Errorf("%s got through", key)
		}
	}
	for _, key := range public {
		if tags[key] != "value" {
			t.Errorf("%s did not get through", key)
		}
	}
}
