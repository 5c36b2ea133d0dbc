package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/lab"
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
	queue    *services.Queue
	metrics  *services.Metrics
	profiles *services.Profiles
}

// newExport makes what the flag and the standard variables ask for.
func newExport(ctx context.Context, address string, log *slog.Logger) (export, error) {
	// What OpenTelemetry has nobody else to tell. A reader that is stopped says that it was.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if !errors.Is(err, context.Canceled) {
			log.Warn("opentelemetry", "error", err)
		}
	}))
	var e export
	if address != "" || otlpFromEnvironment() {
		exporter, err := otlptrace.New(ctx, lab.OTLPClient(address, otlpProtocol()))
		if err != nil {
			return e, fmt.Errorf("otlp endpoint %s: %w", address, err)
		}
		e.queue = services.NewQueue(exporter, services.QueueConfig{Logger: log})
	}
	if address != "" || otlpMetricsFromEnvironment() {
		exporter, err := services.OTLPMetrics(ctx, address, otlpMetricsProtocol())
		if err != nil {
			return e, fmt.Errorf("otlp endpoint %s: %w", address, err)
		}
		e.metrics = services.NewMetrics(exporter, log)
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

func stopQueue(queue *services.Queue, s *streams) error {
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

// otlpMetricsFromEnvironment tells whether the standard variables name an endpoint for metrics.
func otlpMetricsFromEnvironment() bool {
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") != ""
}

// otlpMetricsProtocol is what the standard variables say of the protocol for metrics.
func otlpMetricsProtocol() string {
	return cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"))
}
