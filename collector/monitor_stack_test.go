//go:build stack

package collector_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/freeport"
	"tracelab/internal/parts"
)

// startPrometheus scrapes one Collector every second.
func startPrometheus(t testing.TB, c *collector) (address string) {
	t.Helper()
	program, err := parts.Prometheus()
	if err != nil {
		t.Fatal(err)
	}
	ports, err := freeport.InARow(1)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	config := filepath.Join(folder, "prometheus.yaml")
	text := fmt.Sprintf("scrape_configs: [{job_name: collector, honor_labels: true, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{targets: [%q]}]}]", c.prometheus)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, parts.Command{Name: "prometheus", Path: program, Log: filepath.Join(folder, "prometheus.log"), Args: []string{
		"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(folder, "data"), "--web.listen-address=" + ports[0], "--enable-feature=exemplar-storage",
	}}, "http://"+ports[0]+"/-/ready")
	return ports[0]
}

// TestJaegerMonitorsServices: its monitor tab gets calls, errors and latencies of a service out of span_metrics, by way of Prometheus.
func TestJaegerMonitorsServices(t *testing.T) {
	t.Parallel()
	j := newJaeger(t)
	c := startCollector(t, collectorOptions{jaeger: j.otlp})
	prometheus := startPrometheus(t, c)
	j.command.Env = append(j.command.Env, "JAEGER_PROMETHEUS=http://"+prometheus)
	j.start(t)
	s := newSender(t, c.otlp, telemetry.QueueConfig{})
	await(t, "Jaeger has the figures", func() error {
		for i := range 4 { // a rate needs spans that go on: the first value of a series is no increase
			s.send(trace.SpanContext{}, time.Now(), spec{service: "orders", name: "orders.Accept", end: 40 * time.Millisecond, failed: i == 0})
		}
		calls := j.monitor(t, "calls", nil)
		share := j.monitor(t, "errors", nil)
		latency := j.monitor(t, "latencies", url.Values{"quantile": {"0.5"}})
		if len(calls) == 0 || len(share) == 0 || len(latency) == 0 || slices.Max(calls) <= 0 {
			return fmt.Errorf("%d points of calls, %d of errors, %d of latencies", len(calls), len(share), len(latency))
		}
		if m := share[len(share)-1]; m < 0.2 || m > 0.3 {
			return fmt.Errorf("the share of errors is %v, want 0.25", m)
		}
		if m := slices.Max(latency); m < 35 || m > 50 { // the bucket that 40 ms are in
			return fmt.Errorf("the median latency is %v, want 40 ms within its bucket, in milliseconds", m)
		}
		return nil
	})
	await(t, "an exemplar in Prometheus", func() error {
		query := url.Values{"query": {buckets}, "start": {strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)}, "end": {strconv.FormatInt(time.Now().Unix()+60, 10)}}
		var answer struct {
			Data []struct {
				Exemplars []struct {
					Labels map[string]string `json:"labels"`
				} `json:"exemplars"`
			} `json:"data"`
		}
		if err := json.Unmarshal([]byte(get(t, "http://"+prometheus+"/api/v1/query_exemplars?"+query.Encode(), "")), &answer); err != nil {
			t.Fatal(err)
		}
		for _, one := range answer.Data {
			for _, exemplar := range one.Exemplars {
				get(t, "http://"+j.http+"/api/traces/"+exemplar.Labels["trace_id"], "") // fails unless Jaeger knows it
				return nil
			}
		}
		return errors.New("none")
	})
}

// monitor asks what the monitor tab asks, and returns the values that are numbers.
func (j *jaeger) monitor(t testing.TB, what string, more url.Values) (values []float64) {
	t.Helper()
	query := url.Values{"service": {"orders"}, "endTs": {strconv.FormatInt(time.Now().UnixMilli(), 10)}, "lookback": {"60000"}, "ratePer": {"60000"}, "step": {"1000"},
		"spanKind": {"internal"}}
	for key, value := range more {
		query[key] = value
	}
	var answer struct {
		Metrics []struct {
			MetricPoints []struct {
				GaugeValue struct {
					DoubleValue any `json:"doubleValue"` // a number, or "NaN"
				} `json:"gaugeValue"`
			} `json:"metricPoints"`
		} `json:"metrics"`
	}
	if err := json.Unmarshal([]byte(get(t, "http://"+j.http+"/api/metrics/"+what+"?"+query.Encode(), "")), &answer); err != nil {
		t.Fatal(err)
	}
	for _, metric := range answer.Metrics {
		for _, point := range metric.MetricPoints {
			if n, ok := point.GaugeValue.DoubleValue.(float64); ok {
				values = append(values, n)
			}
		}
	}
	return values
}
