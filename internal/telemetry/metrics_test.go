package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// sums reads every sum that a reader has, by "name{error.type}".
func sums(t *testing.T, reader sdkmetric.Reader) map[string]int64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	found := map[string]int64{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
				for _, point := range sum.DataPoints {
					kind, _ := point.Attributes.Value("error.type")
					found[m.Name+"{"+kind.AsString()+"}"] += point.Value
				}
			}
		}
	}
	return found
}

// TestTheQueuesMetricsAreItsSums: what was started, exported and dropped, and why, from the metrics alone.
func TestTheQueuesMetricsAreItsSums(t *testing.T) {
	fail := errors.New("collector is away")
	for name, c := range map[string]struct {
		config QueueConfig
		export func(context.Context) error
		why    string // of all drops
	}{
		"healthy":   {QueueConfig{}, nil, ""},
		"full":      {QueueConfig{Size: 4, Batch: 2}, func(context.Context) error { time.Sleep(time.Millisecond); return nil }, "queue_full"},
		"failing":   {QueueConfig{Wait: true}, func(context.Context) error { return fail }, "export_failed"},
		"times out": {QueueConfig{Wait: true, Timeout: time.Millisecond}, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "timeout"},
		"times out in gRPC's words": {QueueConfig{Wait: true}, func(context.Context) error {
			return fmt.Errorf("traces export: %w", status.Error(codes.DeadlineExceeded, "context deadline exceeded"))
		}, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			q := NewQueue(&exporter{export: c.export}, c.config)
			reader := sdkmetric.NewManualReader()
			config := Config{Processors: []sdktrace.SpanProcessor{q}, Reader: func() sdkmetric.Reader { return reader }, Process: "gateway"}
			if _, err := config.New("gateway"); err != nil {
				t.Fatal(err)
			}
			makeSpans(q, 4, 500)
			if err := q.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			makeSpans(q, 1, 3) // too late
			checkQueueMetrics(t, q, sums(t, reader), c.why)
		})
	}
}

func checkQueueMetrics(t *testing.T, q *Queue, got map[string]int64, why string) {
	t.Helper()
	const exported, processed = "otel.sdk.exporter.span.exported", "otel.sdk.processor.span.processed"
	counts := q.Counts()
	dropped := got[exported+"{export_failed}"] + got[exported+"{timeout}"] + got[exported+"{shutdown}"] +
		got[processed+"{queue_full}"] + got[processed+"{already_shutdown}"]
	if got["otel.sdk.span.started{}"] != counts.Started || got[exported+"{}"] != counts.Exported || dropped != counts.Dropped ||
		counts.Started != 2003 || counts.Started != counts.Exported+counts.Dropped {
		t.Errorf("the queue says %+v, the metrics say %v", counts, got)
	}
	if submitted := counts.Started - got[processed+"{queue_full}"] - got[processed+"{already_shutdown}"]; got[processed+"{}"] != submitted {
		t.Errorf("processed %d, want the %d that went to the exporter", got[processed+"{}"], submitted)
	}
	if got[processed+"{already_shutdown}"] != 3 {
		t.Errorf("%d came too late, want 3", got[processed+"{already_shutdown}"])
	}
	if why != "" && got[exported+"{"+why+"}"]+got[processed+"{"+why+"}"] != counts.Dropped-3 {
		t.Errorf("drops %v, want %d for %s", got, counts.Dropped-3, why)
	}
	if got["otel.sdk.processor.span.queue.size{}"] != 0 || got["otel.sdk.processor.span.queue.capacity{}"] != int64(cap(q.spans)) {
		t.Errorf("queue size and capacity: %v", got)
	}
}

// TestTheProcessTellsOfItselfOnce: several services share a process, its runtime and its queue.
func TestTheProcessTellsOfItselfOnce(t *testing.T) {
	var readers []*sdkmetric.ManualReader
	config := Config{Process: "orders", Reader: func() sdkmetric.Reader {
		readers = append(readers, sdkmetric.NewManualReader())
		return readers[len(readers)-1]
	}}
	for i, service := range []string{"gateway", "orders", "payment"} {
		if _, err := config.New(service); err != nil {
			t.Fatal(err)
		}
		_, told := sums(t, readers[i])["go.goroutine.count{}"]
		if told != (service == "orders") {
			t.Errorf("%s tells of the process: %v", service, told)
		}
	}
}

// TestSeriesAreBounded: what a client may choose the value of, an error.type for instance, ends in one series of overflow.
func TestSeriesAreBounded(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	p, err := Config{Reader: func() sdkmetric.Reader { return reader }}.New("orders")
	if err != nil {
		t.Fatal(err)
	}
	counter, err := p.Meters.Meter(Scope).Int64Counter("things")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		counter.Add(t.Context(), 1, metric.WithAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(i))))
	}
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	points := data.ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64]).DataPoints
	var sum, overflow int64
	for _, point := range points {
		sum += point.Value
		if point.Attributes.HasValue("otel.metric.overflow") {
			overflow += point.Value
		}
	}
	if len(points) != maxSeries || sum != 100_000 || overflow != 100_000-maxSeries+1 {
		t.Errorf("%d series of %d, %d of them in the overflow, want %d series of 100000", len(points), sum, overflow, maxSeries)
	}
}

// TestStartExportsZeros: what stands at 0 is exported before the first interval has passed, by every service, and an endpoint that hangs does
// not hold the end up.
func TestStartExportsZeros(t *testing.T) {
	for name, c := range map[string]struct {
		hangs bool
		want  int
	}{"taken": {false, 2}, "hangs": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &metricExporter{export: func(ctx context.Context) error {
					if c.hangs {
						<-ctx.Done()
					}
					return ctx.Err()
				}}
				m := NewMetrics(e, slog.New(slog.DiscardHandler))
				config := Config{Reader: m.Reader}
				for _, service := range []string{"gateway", "orders"} {
					p, err := config.New(service)
					if err != nil {
						t.Fatal(err)
					}
					counter, err := p.Meters.Meter(Scope).Int64Counter("things")
					if err != nil {
						t.Fatal(err)
					}
					counter.Add(t.Context(), 0)
				}
				m.Start(t.Context())
				synctest.Wait()
				if len(e.taken) != c.want {
					t.Errorf("%d exports at the start, want %d", len(e.taken), c.want)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				begin := time.Now()
				if err := m.Shutdown(ctx); err != nil {
					t.Error(err)
				}
				if took := time.Since(begin); took > time.Second {
					t.Errorf("shutdown took %v, want a second at most", took)
				}
			})
		})
	}
}

func TestWithoutAReaderNothingIsMeasured(t *testing.T) {
	p, err := Config{Process: "orders"}.New("orders")
	if err != nil {
		t.Fatal(err)
	}
	counter, err := p.Meters.Meter(Scope).Int64Counter("things")
	if err != nil {
		t.Fatal(err)
	}
	if counter.Enabled(t.Context()) {
		t.Error("a counter that nobody reads is enabled")
	}
}
