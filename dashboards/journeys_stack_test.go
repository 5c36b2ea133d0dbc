//go:build stack

package dashboards

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"tracelab/internal/parts"
	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/watch/measure"
	"tracelab/watch/summary"
)

// TestJourneysFillTheirDashboard sends what is measured of judged journeys through a real collector to a real Prometheus: every query of
// the dashboard and every alert's finds series, so the names are those that come out there.
func TestJourneysFillTheirDashboard(t *testing.T) {
	otlp, page := startCollector(t)
	address := startPrometheus(t, map[string]string{"services": page})
	exporter, err := otlpmetricgrpc.New(t.Context(), otlpmetricgrpc.WithEndpoint(otlp), otlpmetricgrpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) }) // the collector may be gone
	count := counting(t, provider)
	left := watchExpressions(t)
	testkit.Await(t, "series of judged journeys", time.Minute, func(ctx context.Context) error {
		count()
		if err := provider.ForceFlush(ctx); err != nil {
			return err
		}
		var wrong []error
		var missing []Expression
		for _, e := range left {
			if found := Check(ctx, address, []Expression{e}); len(found) > 0 {
				wrong, missing = append(wrong, found...), append(missing, e)
			}
		}
		left = missing
		return errors.Join(wrong...)
	})
}

// watchExpressions are the queries of what a watcher tells. What an alert compares with ten minutes ago is compared with now.
func watchExpressions(t *testing.T) []Expression {
	t.Helper()
	all, err := Expressions("..")
	if err != nil {
		t.Fatal(err)
	}
	tail, wait := "", ""
	var found []Expression
	for _, e := range all {
		switch e.Place {
		case "record root:tracelab_journey_tail_seconds:p95_2m":
			tail = e.Expr
		case "record root:tracelab_journey_caller_wait_seconds:p95_2m":
			wait = e.Expr
		}
		if e.After == AfterWatch {
			e.Expr = strings.NewReplacer(" offset 10m", "", "root:tracelab_journey_tail_seconds:p95_2m", "("+tail+")", "root:tracelab_journey_caller_wait_seconds:p95_2m", "("+wait+")").Replace(e.Expr)
			found = append(found, e)
		}
	}
	if len(found) < 20 || tail == "" || wait == "" {
		t.Fatalf("only %d queries are of watchers", len(found))
	}
	return found
}

// counting returns a function that counts one more journey, and tells of its watcher.
func counting(t *testing.T, provider metric.MeterProvider) func() {
	t.Helper()
	m, err := measure.New(provider, measure.Config{})
	if err != nil {
		t.Fatal(err)
	}
	meter := provider.Meter("tracelab/watch")
	behind, errBehind := meter.Int64Gauge("tracelab.watch.partitions.behind", metric.WithUnit("{partition}"))
	held, errHeld := meter.Float64Counter("tracelab.watch.held", metric.WithUnit("s"))
	records, errRecords := meter.Int64Counter("tracelab.watch.records", metric.WithUnit("{record}"))
	traces, errTraces := meter.Int64Counter("tracelab.watch.traces", metric.WithUnit("{trace}"))
	late, errLate := meter.Int64Counter("tracelab.watch.spans.late", metric.WithUnit("{span}"))
	if err := errors.Join(errBehind, errHeld, errRecords, errTraces, errLate); err != nil {
		t.Fatal(err)
	}
	n := 0
	return func() {
		for _, outcome := range []summary.Outcome{summary.OK, summary.Error, summary.Incomplete} {
			n++
			s := summary.Summary{Root: summary.Root{Trace: fmt.Sprintf("%032x", n), Span: "0000000000000001", Service: "shop", Name: "POST /orders"}, Outcome: outcome,
				Silent: outcome == summary.Error, CallerWait: new(time.Millisecond), Completion: new(time.Second), Tail: new(time.Second),
				Queues: []summary.Queue{{Topic: "orders", Deliveries: 1, Waits: []time.Duration{time.Millisecond}}},
				Steps:  []summary.Step{{Service: "shop", Name: "POST /orders", Work: time.Second}}, Lint: map[journey.RuleID]int{"M10": 1}}
			m.Count(0, &s)
		}
		behind.Record(t.Context(), 1)
		held.Add(t.Context(), 0.5)
		records.Add(t.Context(), 1, metric.WithAttributes(attribute.String("tracelab.watch.result", "damaged")))
		traces.Add(t.Context(), 1, metric.WithAttributes(attribute.String("tracelab.watch.fate", "judged")))
		late.Add(t.Context(), 1)
	}
}

// startCollector starts one with the stack's configuration, and returns where it takes OTLP over gRPC and where its page of metrics is.
func startCollector(t *testing.T) (otlp, page string) {
	t.Helper()
	program, err := parts.Collector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ports, folder := testkit.FreePorts(t, 6), t.TempDir()
	config, err := filepath.Abs(filepath.FromSlash("../collector/collector.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	queue := filepath.Join(folder, "queue")
	if err := os.Mkdir(queue, 0o700); err != nil {
		t.Fatal(err)
	}
	_, metricsPort, _ := strings.Cut(ports[3], ":")
	process, err := parts.Start(context.Background(), parts.Command{Name: "collector", Path: program, Dir: folder, Log: filepath.Join(folder, "log"), Args: []string{"--config", config}, Env: []string{
		"COLLECTOR_OTLP_GRPC=" + ports[0], "COLLECTOR_OTLP_HTTP=" + ports[1], "COLLECTOR_HEALTH=" + ports[2], "COLLECTOR_METRICS_HOST=127.0.0.1",
		"COLLECTOR_METRICS_PORT=" + metricsPort, "COLLECTOR_PROMETHEUS=" + ports[4], "COLLECTOR_JAEGER=" + ports[5], "COLLECTOR_QUEUE=" + queue}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := process.AwaitHTTP(t.Context(), "http://"+ports[2]+"/status"); err != nil {
		t.Fatal(err)
	}
	return ports[0], ports[4]
}
