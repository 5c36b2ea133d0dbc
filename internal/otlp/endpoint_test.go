package otlp

import "testing"

func TestEndpoints(t *testing.T) {
	for address, want := range map[string]struct{ traces, metrics, hostPort string }{
		"c:4317":                              {"", "", "c:4317"},
		"[::1]:4317":                          {"", "", "[::1]:4317"},
		"http://c":                            {"http://c/v1/traces", "http://c/v1/metrics", "c:80"},
		"http://c:4318":                       {"http://c:4318/v1/traces", "http://c:4318/v1/metrics", "c:4318"},
		"http://c:4318/v1/traces":             {"http://c:4318/v1/traces", "http://c:4318/v1/metrics", "c:4318"},
		"https://c/otlp/v1/traces":            {"https://c/otlp/v1/traces", "https://c/otlp/v1/metrics", "c:443"},
		"https://[::1]/all":                   {"https://[::1]/all", "https://[::1]/all", "[::1]:443"},
		"http://c:4318/v1/traces?tenant=blue": {"http://c:4318/v1/traces?tenant=blue", "http://c:4318/v1/metrics?tenant=blue", "c:4318"},
		"http://c:4318?tenant=blue":           {"http://c:4318/v1/traces?tenant=blue", "http://c:4318/v1/metrics?tenant=blue", "c:4318"},
	} {
		e, err := ParseEndpoint(address)
		if err != nil || e.String() != address || e.IsZero() || e.HostPort() != want.hostPort || e.OverHTTP() != (want.traces != "") {
			t.Errorf("%s: %+v, %v, want %+v", address, e, err, want)
			continue
		}
		if e.OverHTTP() && (e.urlOf(tracesPath) != want.traces || e.urlOf(metricsPath) != want.metrics) {
			t.Errorf("%s: traces to %s, metrics to %s, want %+v", address, e.urlOf(tracesPath), e.urlOf(metricsPath), want)
		}
	}
	for _, wrong := range []string{"", "c", "4317", "grpc://c:4317", "http://", "http://[::1", "c:4317:1"} {
		if e, err := ParseEndpoint(wrong); err == nil {
			t.Errorf("%q is taken for %+v", wrong, e)
		}
	}
}

func TestDestinationsFromTheEnvironment(t *testing.T) {
	const all, traces, metrics = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
	for name, c := range map[string]struct {
		variables       map[string]string
		traces, metrics string
	}{
		"nothing":      {},
		"both":         {map[string]string{all: "http://c"}, "of " + all, "of " + all},
		"traces alone": {map[string]string{traces: "http://c"}, "of " + traces, ""},
		"one each":     {map[string]string{all: "http://c", metrics: "http://d"}, "of " + all, "of " + metrics},
	} {
		d, err := ParseDestination("", func(name string) string { return c.variables[name] })
		if err != nil || d.Traces.String() != c.traces || d.Metrics.String() != c.metrics {
			t.Errorf("%s: %+v, %v, want %q and %q", name, d, err, c.traces, c.metrics)
		}
	}
	if d, err := ParseDestination("c:4317", func(string) string { return "http://elsewhere" }); err != nil || d.Traces.String() != "c:4317" || d.Metrics.String() != "c:4317" {
		t.Errorf("an address does not come before the environment: %+v, %v", d, err)
	}
}
