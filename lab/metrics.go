package lab

import (
	"context"
	"fmt"
	"time"

	"tracelab/internal/telemetry"

	"tracelab/internal/otlp"
)

// metricsTimeout is how long the end of a run waits for the last metrics to go out.
const metricsTimeout = time.Second

// measure makes whatever this process runs measure itself, when --otlp or the standard variables name an endpoint for
// metrics: the client, under whose name the process tells of itself, and the services when they run here.
func (env *environment) measure(ctx context.Context, c Config, t *telemetry.Config) error {
	if c.OTLP.Metrics.IsZero() {
		return nil
	}
	exporter, err := otlp.NewMetricExporter(ctx, c.OTLP.Metrics)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	metrics := telemetry.NewMetrics(exporter, c.Logger)
	t.Reader, t.Process = metrics.Reader, clientName
	env.onStop(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), metricsTimeout)
		defer cancel()
		return metrics.Shutdown(ctx)
	})
	return nil
}

// clientName is the service that places the orders.
const clientName = "client"
