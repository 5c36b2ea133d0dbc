package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/otlp"
	"tracelab/internal/telemetry"
	"tracelab/services"
)

// The shutdown budget: spans 2.5 s, then metrics 1 s, and beside both the profile 2 s. A service whose collector does not
// answer so ends within five seconds.
const (
	spansBudget   = 2500 * time.Millisecond
	metricsBudget = time.Second
	profileBudget = 2 * time.Second
)

// export sends the spans, metrics and profiles of `tracelab serve`; a part without an endpoint is nil.
type export struct {
	queue    *telemetry.Queue
	metrics  *telemetry.Metrics
	profiles *telemetry.Profiles
}

// newExport makes the exports for a destination.
func newExport(ctx context.Context, to otlp.Destination, log *slog.Logger) (export, error) {
	var e export
	if !to.Traces.IsZero() {
		exporter, err := otlp.NewTraceExporter(ctx, to.Traces)
		if err != nil {
			return e, err
		}
		e.queue = telemetry.NewQueue(exporter, telemetry.QueueConfig{Logger: log, GroupBy: services.SpanGroups()})
	}
	if !to.Metrics.IsZero() {
		exporter, err := otlp.NewMetricExporter(ctx, to.Metrics)
		if err != nil {
			return e, err
		}
		e.metrics = telemetry.NewMetrics(exporter, log)
	}
	return e, nil
}

// into makes services use the export. The metrics of the process have the name of the first service.
func (e export) into(config *services.Config) {
	if e.queue != nil {
		config.Telemetry.Processors = []sdktrace.SpanProcessor{e.queue}
	}
	if e.metrics != nil {
		config.Telemetry.Reader, config.Telemetry.Process = e.metrics.Reader, config.Services[0]
	}
	if e.profiles != nil {
		config.Telemetry.Profiled = true
	}
}

// stop sends the last profile and the last spans, says how many spans were exported and dropped, and then sends the last
// metrics, which count them.
func (e export) stop(s *streams) error {
	var profile sync.WaitGroup
	defer profile.Wait()
	if e.profiles != nil {
		profile.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), profileBudget)
			defer cancel()
			e.profiles.Stop(ctx)
		})
	}
	var err error
	if e.queue != nil {
		err = stopQueue(e.queue, s)
	}
	if e.metrics == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), metricsBudget)
	defer cancel()
	return errors.Join(err, e.metrics.Shutdown(ctx))
}

func stopQueue(queue *telemetry.Queue, s *streams) error {
	ctx, cancel := context.WithTimeout(context.Background(), spansBudget)
	defer cancel()
	err := queue.Shutdown(ctx)
	counts := queue.Counts()
	s.talk("spans: %s", counts)
	if counts.Dropped > 0 {
		err = errors.Join(err, fmt.Errorf("%d spans were dropped: is the otlp endpoint up?", counts.Dropped))
	}
	return err
}
