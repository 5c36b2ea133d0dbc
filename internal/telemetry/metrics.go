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
	// another: as often as Prometheus scrapes, or a steady rate would look as if it went up and down. The SDK's own
	// minute is longer than most runs.
	exportInterval = 5 * time.Second
	// metricsTimeout bounds one export, collecting included. There is no second try within it: the sums are cumulative,
	// so the next export carries all that this one did.
	metricsTimeout = 5 * time.Second
	// troubleInterval is the time between two log lines about exports that fail.
	troubleInterval = time.Minute
)

// Metrics sends what the services of a process measure to one exporter, each service by a reader of its own. Whoever
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

// Start exports once what the readers made so far have, in the background: counters that stand at 0. Call it when the services have made their
// instruments. Without it the first export comes an interval later, when events may already have been counted.
func (m *Metrics) Start(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ctx, end := context.WithCancel(ctx)
	m.end = append(m.end, end)
	for _, reader := range m.readers {
		m.first.Go(func() {
			_ = reader.ForceFlush(ctx) // Export has said what went wrong, and the next one carries the same sums
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
	return nil // a time that has run out was said by the export
}

// tolerant is the exporter as one reader sees it: it outlives the reader, and its trouble is said here, in our words,
// instead of each time by OpenTelemetry's global handler.
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

// spansOnly tells whether an endpoint does not know of metrics. The HTTP exporter has the status in its words only.
func spansOnly(err error) bool {
	return status.Code(err) == codes.Unimplemented || strings.Contains(err.Error(), ": 404 ")
}
