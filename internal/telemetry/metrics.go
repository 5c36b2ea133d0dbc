package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// exportInterval is the time between two exports of a service's metrics, unless OTEL_METRIC_EXPORT_INTERVAL says
	// another. It is Prometheus's scrape interval: exported less often, a steady rate would seem to go up and down. The
	// SDK's own minute is longer than most runs.
	exportInterval = 5 * time.Second
	// metricsTimeout bounds one export, collecting included. It is not retried: the sums are cumulative, so the next
	// export carries all that this one did.
	metricsTimeout = 5 * time.Second
	// troubleInterval is the time between two log lines about exports that fail.
	troubleInterval = time.Minute
)

// Metrics sends what the services of a process measure to one exporter; each service has a reader of its own. Whoever
// made it shuts it down, after the span queue, so that the last export has the queue's last sums.
type Metrics struct {
	exporter sdkmetric.Exporter
	log      *slog.Logger
	options  []sdkmetric.PeriodicReaderOption
	trouble  *rate.Sometimes
	refused  atomic.Bool // it has been said that the endpoint takes no metrics

	mu      sync.Mutex
	readers []*sdkmetric.PeriodicReader
	first   sync.WaitGroup       // the exports of Start
	end     []context.CancelFunc // ends them
}

// NewMetrics sends to an exporter.
func NewMetrics(exporter sdkmetric.Exporter, logger *slog.Logger) *Metrics {
	m := &Metrics{exporter: exporter, log: logger, trouble: &rate.Sometimes{First: 1, Interval: troubleInterval},
		options: []sdkmetric.PeriodicReaderOption{sdkmetric.WithTimeout(metricsTimeout)}}
	if os.Getenv("OTEL_METRIC_EXPORT_INTERVAL") == "" {
		m.options = append(m.options, sdkmetric.WithInterval(exportInterval))
	}
	return m
}

// Reader makes the reader of one service: Config.Reader.
func (m *Metrics) Reader() sdkmetric.Reader {
	reader := sdkmetric.NewPeriodicReader(tolerant{m.exporter, m}, m.options...)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readers = append(m.readers, reader)
	return reader
}

// Start makes the readers export once now, in the background. Call it when the services have made their instruments, to
// export their counters at 0: the first regular export comes an interval later, when events may already be counted.
func (m *Metrics) Start(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ctx, end := context.WithCancel(ctx)
	m.end = append(m.end, end)
	for _, reader := range m.readers {
		m.first.Go(func() {
			_ = reader.ForceFlush(ctx) // Export logs what goes wrong, and the next one carries the same sums
		})
	}
}

// Shutdown exports what was measured last and ends the readers and the exporter, within the context's time. What the
// endpoint did not take is in the log.
func (m *Metrics) Shutdown(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, end := range m.end {
		end()
	}
	m.first.Wait()
	errs := make([]error, len(m.readers)+1)
	var wg sync.WaitGroup
	for i, reader := range m.readers {
		wg.Go(func() { errs[i] = reader.Shutdown(ctx) })
	}
	wg.Wait()
	errs[len(m.readers)] = m.exporter.Shutdown(ctx)
	if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
		return fmt.Errorf("end metrics: %w", err)
	}
	return nil // Export has logged that the time was over
}

// tolerant is the exporter as one reader sees it. It outlives the reader, and it logs failures here, once in a while,
// instead of passing each one to OpenTelemetry's global error handler.
type tolerant struct {
	sdkmetric.Exporter
	metrics *Metrics
}

// Export sends one service's metrics.
func (t tolerant) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	switch err := t.Exporter.Export(ctx, data); {
	case err == nil:
		if t.metrics.refused.Swap(false) {
			t.metrics.log.Info("metrics: the otlp endpoint takes them now")
		}
	case errors.Is(ctx.Err(), context.Canceled): // the reader ends, and its last export carries the same sums
	case spansOnly(err):
		if !t.metrics.refused.Swap(true) {
			t.metrics.log.Warn("metrics: the otlp endpoint takes spans only, so metrics go nowhere; a collector takes both", "error", err)
		}
	default:
		t.metrics.trouble.Do(func() {
			t.metrics.log.Warn("metrics not sent; the next export carries the same sums", "error", err)
		})
	}
	return nil
}

// Shutdown does nothing: other readers use the exporter.
func (t tolerant) Shutdown(context.Context) error { return nil }

// ForceFlush does nothing: Export has sent all.
func (t tolerant) ForceFlush(context.Context) error { return nil }

// spansOnly reports whether an endpoint takes no metrics. The HTTP exporter has the status in its text alone.
func spansOnly(err error) bool {
	return status.Code(err) == codes.Unimplemented || strings.Contains(err.Error(), ": 404 ")
}
