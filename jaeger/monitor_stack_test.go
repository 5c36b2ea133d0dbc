//go:build stack

package jaeger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
)

// The monitor tab shows rates and latencies of the services: Jaeger finds in Prometheus, under the names and labels that it asks for,
// what the Collector's span_metrics has counted.
func TestTheMonitorTabHasFigures(t *testing.T) {
	at := testkit.FreePort(t)
	j := startJaeger(t, "http://"+at)
	spans, figures := startCollector(t, j)
	startPrometheus(t, at, figures)
	gateway := startServices(t, spans)
	place := func() {
		run(t, "both", func(c *lab.Config) { c.Target, c.Jaeger, c.OTLP, c.Host = gateway, j.url, destination(t, spans), host })
	}
	place()
	for _, question := range []string{"calls", "latencies", "errors"} {
		await(t, question, func() error {
			place() // a rate is of what grows between two scrapes
			return shown(t.Context(), j, question)
		})
	}
}

// shown asks what the tab asks for a service, by operation.
func shown(ctx context.Context, j jaegerAt, question string) error {
	v := url.Values{"service": {"orders"}, "spanKind": {"server"}, "groupByOperation": {"true"}, "quantile": {"0.95"},
		"endTs": {strconv.FormatInt(time.Now().UnixMilli(), 10)}, "lookback": {"300000"}, "step": {"1000"}, "ratePer": {"60000"}}
	var answer struct {
		Metrics []struct {
			Labels       []struct{ Name, Value string }
			MetricPoints []struct {
				GaugeValue struct{ DoubleValue json.RawMessage }
			}
		}
	}
	if err := getJSON(ctx, j.url+"/api/metrics/"+question+"?"+v.Encode(), &answer); err != nil {
		return err
	}
	var operations []string
	for _, metric := range answer.Metrics {
		found := false
		for _, point := range metric.MetricPoints {
			value, err := strconv.ParseFloat(string(point.GaugeValue.DoubleValue), 64) // NaN comes as text
			found = found || err == nil && !math.IsNaN(value) && (value > 0 || question == "errors")
		}
		for _, label := range metric.Labels {
			if label.Name == "operation" && found {
				operations = append(operations, label.Value)
			}
		}
	}
	for _, operation := range operations {
		if operation == "POST /accept" || operation == "tracelab.order.v1.Orders/Accept" {
			return nil
		}
	}
	return fmt.Errorf("%d series, with figures for the operations %q", len(answer.Metrics), operations)
}
