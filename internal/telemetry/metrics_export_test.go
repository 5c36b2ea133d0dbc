package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// metricExporter answers exports as the test wants.
type metricExporter struct {
	sdkmetric.Exporter // temporality and aggregation: not asked for with a nil reader
	export             func(context.Context) error

	mu    sync.Mutex
	taken []*metricdata.ResourceMetrics
	shut  int
}

func (e *metricExporter) Temporality(sdkmetric.InstrumentKind) metricdata.Temporality {
	return metricdata.CumulativeTemporality
}

func (e *metricExporter) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}

func (e *metricExporter) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	if err := e.export(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.taken = append(e.taken, data)
	return nil
}

func (e *metricExporter) Shutdown(context.Context) error { e.shut++; return nil }

// TestTroubleWithMetricsIsSaidOnce: an endpoint that takes spans only in one sentence, other trouble once a minute.
func TestTroubleWithMetricsIsSaidOnce(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		lines int
		says  string
	}{
		"gRPC without metrics": {fmt.Errorf("failed to upload metrics: %w", status.Error(codes.Unimplemented, "unknown service")), 1, "takes spans only"},
		"HTTP without metrics": {errors.New("failed to send metrics to http://x/v1/metrics: 404 Not Found (body: 404 page not found)"), 1, "takes spans only"},
		"away":                 {status.Error(codes.Unavailable, "connection refused"), 10, "metrics not sent; the next export carries the same sums"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var text bytes.Buffer
				e := &metricExporter{export: func(context.Context) error { return c.err }}
				m := NewMetrics(e, slog.New(slog.NewTextHandler(&text, nil)))
				config := Config{Reader: m.Reader}
				for _, service := range []string{"gateway", "orders"} {
					if _, err := config.New(service); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(10*time.Minute - time.Second)
				if err := m.Shutdown(t.Context()); err != nil || e.shut != 1 {
					t.Errorf("shutdown: %v, exporter shut down %d times", err, e.shut)
				}
				lines := strings.Count(text.String(), "\n")
				if lines != c.lines || strings.Count(text.String(), c.says) != c.lines {
					t.Errorf("want %d lines that say %q:\n%s", c.lines, c.says, text.String())
				}
			})
		})
	}
}

// TestMetricsThatAreTakenLater: an endpoint that learns of metrics is said once, too.
func TestMetricsThatAreTakenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		var away atomic.Bool
		away.Store(true)
		e := &metricExporter{export: func(context.Context) error {
			if away.Load() {
				return status.Error(codes.Unimplemented, "unknown service")
			}
			return nil
		}}
		m := NewMetrics(e, slog.New(slog.NewTextHandler(&text, nil)))
		if _, err := (Config{Reader: m.Reader}).New("orders"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		away.Store(false)
		time.Sleep(time.Minute)
		if err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if got := text.String(); strings.Count(got, "takes them now") != 1 || len(e.taken) < 6 {
			t.Errorf("%d exports taken, log:\n%s", len(e.taken), got)
		}
	})
}

// TestABlackHoleDoesNotHoldMetricsUp: neither the orders that count, nor the end.
func TestABlackHoleDoesNotHoldMetricsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &metricExporter{export: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		m := NewMetrics(e, slog.New(slog.DiscardHandler))
		config := Config{Reader: m.Reader}
		for range 7 {
			p, err := config.New("orders")
			if err != nil {
				t.Fatal(err)
			}
			counter, err := p.Meters.Meter(Scope).Int64Counter("things")
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			counter.Add(t.Context(), 1)
			if time.Since(begin) > 0 {
				t.Errorf("counting took %v", time.Since(begin))
			}
		}
		time.Sleep(exportInterval + time.Second) // an export is under way
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := m.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("shutdown took %v, want the second that it had", took)
		}
	})
}
