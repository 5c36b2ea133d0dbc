package jaeger_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// Every address comes from the environment, and is spelled out: Jaeger's own defaults are localhost, out of reach in a container.
func TestEveryAddressComesFromTheEnvironment(t *testing.T) {
	text, err := os.ReadFile("jaeger.yaml")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]string{}
	for _, m := range regexp.MustCompile(`\$\{env:([A-Z_]+):-([^}]*)\}`).FindAllStringSubmatch(string(text), -1) {
		used[m[1]] = m[2]
	}
	want := map[string]string{
		"JAEGER_OTLP_GRPC": "0.0.0.0:4317", "JAEGER_OTLP_HTTP": "0.0.0.0:4318", "JAEGER_HTTP": "0.0.0.0:16686", "JAEGER_GRPC": "0.0.0.0:16685",
		"JAEGER_HEALTH": "0.0.0.0:13134", "JAEGER_METRICS_HOST": "0.0.0.0", "JAEGER_METRICS_PORT": "8887",
		"JAEGER_PROMETHEUS": "http://prometheus:9090", "JAEGER_UI_CONFIG": "/etc/jaeger/ui.json", "JAEGER_MAX_TRACES": "20000",
	}
	if diff := cmp.Diff(want, used); diff != "" {
		t.Errorf("variables and their defaults (-want +got):\n%s", diff)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "endpoint:") && !strings.Contains(line, "${env:") {
			t.Errorf("an endpoint that is not from the environment: %s", line)
		}
	}
}

// The settings that the rest of the project counts on.
func TestSettings(t *testing.T) {
	text, err := os.ReadFile("jaeger.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"$.extensions.jaeger_query.enable_tracing":                                             false, // or it sends spans to localhost:4317
		"$.extensions.jaeger_query.max_clock_skew_adjust":                                      "0s",  // or the UI shows times that nobody measured
		"$.extensions.jaeger_storage.backends.memory.memory.max_traces":                        "${env:JAEGER_MAX_TRACES:-20000}",
		"$.extensions.jaeger_storage.metric_backends.prometheus.prometheus.metric_namespace":   "traces_span_metrics",
		"$.extensions.jaeger_storage.metric_backends.prometheus.prometheus.latency_unit":       "ms",
		"$.extensions.jaeger_storage.metric_backends.prometheus.prometheus.normalize_calls":    true,
		"$.extensions.jaeger_storage.metric_backends.prometheus.prometheus.normalize_duration": true,
		"$.extensions.jaeger_query.storage.metrics":                                            "prometheus",
		"$.extensions.jaeger_query.ui.config_file":                                             "${env:JAEGER_UI_CONFIG:-/etc/jaeger/ui.json}",
		"$.extensions.healthcheckv2.http.status.path":                                          "/status",
		"$.service.telemetry.metrics.readers[0].pull.exporter.prometheus.port":                 "${env:JAEGER_METRICS_PORT:-8887}",
	} {
		p, err := yaml.PathString(path)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := p.Read(strings.NewReader(string(text)), &got); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", path, got, err, want)
		}
	}
}
