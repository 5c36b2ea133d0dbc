package lab

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"tracelab/services"
)

// metricsPatience is how long the end of a run waits for the last metrics to go out.
const metricsPatience = time.Second

// measure makes whatever this process runs measure itself, when --otlp or the standard variables name an endpoint for
// metrics: the client, under whose name the process tells of itself, and the services when they run here.
func (env *environment) measure(ctx context.Context, c Config, telemetry *services.Telemetry) error {
	if c.OTLP == "" && !c.EnvMetrics {
		return nil
	}
	exporter, err := services.OTLPMetrics(ctx, c.OTLP, c.EnvMetricsProtocol)
	if err != nil {
		return fmt.Errorf("metrics to the otlp endpoint %s: %w", cmp.Or(c.OTLP, "of the environment"), err)
	}
	metrics := services.NewMetrics(exporter, c.Logger)
	telemetry.Reader, telemetry.Process = metrics.Reader, clientName
	env.onStop(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), metricsPatience)
		defer cancel()
		return metrics.Shutdown(ctx)
	})
	return nil
}

// clientName is the service that places the orders.
const clientName = "client"
