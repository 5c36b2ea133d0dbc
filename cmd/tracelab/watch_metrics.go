package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"tracelab/internal/otlp"
	"tracelab/internal/telemetry"
	"tracelab/watch"
	"tracelab/watch/measure"
	"tracelab/watch/readback"
)

// readBackBudget bounds how long an ending watcher reads what was judged last.
const readBackBudget = 3 * time.Second

// watchMetrics are what `tracelab watch` sends: of the journeys that the group judged, read back from its topic, and of the watcher itself.
type watchMetrics struct {
	metrics  *telemetry.Metrics
	provider *sdkmetric.MeterProvider
	meter    *measure.Meter
	reader   *readback.Reader
}

// committing is an exporter that tells a reader of each export that was taken.
type committing struct {
	sdkmetric.Exporter
	reader atomic.Pointer[readback.Reader] // nil until it is started
}

// Export sends the metrics.
func (c *committing) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	err := c.Exporter.Export(ctx, data)
	if reader := c.reader.Load(); err == nil && reader != nil {
		reader.Exported(ctx)
	}
	return err
}

// metricsOf starts the metrics of a watcher; nil without an endpoint. Fail ends the watcher.
func (c *watchCommand) metricsOf(ctx context.Context, s *streams, config *watch.Config, fail func(error)) (*watchMetrics, error) {
	to, err := otlp.ParseDestination(c.OTLP, os.Getenv)
	if err != nil {
		return nil, usageError{fmt.Errorf("--otlp %w", err)}
	}
	if to.Metrics.IsZero() {
		return nil, nil //nolint:nilnil // there is nothing to stop
	}
	sending, err := otlp.NewMetricExporter(ctx, to.Metrics)
	if err != nil {
		return nil, err
	}
	exporter := &committing{Exporter: sending}
	m := &watchMetrics{metrics: telemetry.NewMetrics(exporter, s.log)}
	about := resource.NewSchemaless(semconv.ServiceName("tracelab-watch"), semconv.ServiceInstanceID(config.Instance))
	m.provider = sdkmetric.NewMeterProvider(sdkmetric.WithResource(about), sdkmetric.WithReader(m.metrics.Reader()), sdkmetric.WithExemplarFilter(exemplar.TraceBasedFilter))
	if m.meter, err = measure.New(m.provider, measure.Config{}); err != nil {
		return nil, errors.Join(err, m.metrics.Shutdown(ctx))
	}
	config.Meters = m.provider
	m.reader, err = readback.Start(readback.Config{Kafka: config.Kafka, Topic: config.Journeys, Group: config.Group + ".metrics", Instance: config.Instance, Meter: m.meter, Flush: m.provider.ForceFlush, Fail: fail, Logger: s.log})
	if err != nil {
		return nil, errors.Join(err, m.metrics.Shutdown(ctx))
	}
	exporter.reader.Store(m.reader)
	return m, nil
}

// stop counts what was judged last, and sends it.
func (m *watchMetrics) stop() error {
	if m == nil {
		return nil
	}
	reading, cancel := context.WithTimeout(context.Background(), readBackBudget)
	defer cancel()
	err := m.reader.Drain(reading)
	m.meter.End()
	sending, end := context.WithTimeout(context.Background(), metricsBudget)
	defer end()
	err = errors.Join(err, m.metrics.Shutdown(sending))
	m.reader.Close()
	return err
}
