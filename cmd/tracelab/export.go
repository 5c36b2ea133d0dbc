package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tracelab/internal/telemetry"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/otlp"
	"tracelab/services"
)

// Together they leave a service whose collector does not answer less than five seconds for its end.
const (
	lastSpans   = 2500 * time.Millisecond // that the last spans have to go out
	lastMetrics = time.Second             // that the last metrics have behind them
	lastProfile = 2 * time.Second         // that the last profile has beside them
)

// export is where `tracelab serve` sends its spans, metrics and profiles; nil parts have no endpoint.
type export struct {
	queue    *telemetry.Queue
	metrics  *telemetry.Metrics
	profiles *telemetry.Profiles
}

// newExport makes what the flag and the standard variables ask for.
func newExport(ctx context.Context, to otlp.Destination, log *slog.Logger) (export, error) {
	// What OpenTelemetry has nobody else to tell. A reader that is stopped says that it was.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if !errors.Is(err, context.Canceled) {
			log.Warn("opentelemetry", "error", err)
		}
	}))
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

// into makes services use it. The process tells of itself under the name of the first of them.
func (e export) into(config *services.Config) {
	if e.queue != nil {
		config.Telemetry.Processors = []sdktrace.SpanProcessor{e.queue}
	}
	if e.metrics != nil {
		config.Telemetry.Reader, config.Telemetry.Process = e.metrics.Reader, config.Services[0]
	}
	if e.profiles != nil {
		config.Telemetry.Profiled, config.Telemetry.SpanProfiles = true, true
	}
}

// stop sends the last profile, and the last spans, says what became of all of them, and then sends the last metrics, which
// count them.
func (e export) stop(s *streams) error {
	var profile sync.WaitGroup
	defer profile.Wait()
	if e.profiles != nil {
		profile.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), lastProfile)
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
	ctx, cancel := context.WithTimeout(context.Background(), lastMetrics)
	defer cancel()
	return errors.Join(err, e.metrics.Shutdown(ctx))
}

func stopQueue(queue *telemetry.Queue, s *streams) error {
	ctx, cancel := context.WithTimeout(context.Background(), lastSpans)
	defer cancel()
	err := queue.Shutdown(ctx)
	counts := queue.Counts()
	s.talk("spans: started %d = exported %d + dropped %d", counts.Started, counts.Exported, counts.Dropped)
	if counts.Dropped > 0 {
		err = errors.Join(err, fmt.Errorf("%d spans were dropped: is the otlp endpoint up?", counts.Dropped))
	}
	return err
}
