//go:build stack

package jaeger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tracelab/internal/parts"
	"tracelab/internal/testkit"
)

// patience is how long a condition is awaited; it takes seconds on a quiet machine.
const patience = time.Minute

// await asks again and again until the answer is nil.
func await(t *testing.T, what string, check func() error) {
	t.Helper()
	testkit.Await(t, what, patience, func(context.Context) error { return check() })
}

// start starts a program of the stack, which ends with the test, and waits until a URL of it answers.
func start(t *testing.T, name string, program func(context.Context) (string, error), ready string, env []string, args ...string) {
	t.Helper()
	build, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	path, err := program(build)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parts.Start(context.WithoutCancel(t.Context()), parts.Command{Name: name, Path: path, Args: args, Env: env, Log: filepath.Join(t.TempDir(), name+".log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stopping, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		if err := p.Stop(stopping); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the log of %s ends with\n%s", name, p.LogTail(20))
		}
	})
	waiting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.AwaitHTTP(waiting, ready); err != nil {
		t.Fatal(err)
	}
}

// jaegerAt is where a Jaeger answers: host:port each, and its two URLs.
type jaegerAt struct{ otlp, otlpHTTP, grpc, health, metrics, url string }

// startJaeger starts Jaeger with this folder's files. Prometheus is the one whose figures its monitor tab shows.
func startJaeger(t *testing.T, prometheus string) jaegerAt {
	t.Helper()
	a := testkit.FreePorts(t, 6)
	j := jaegerAt{otlp: a[0], otlpHTTP: a[1], grpc: a[2], health: a[3], metrics: a[4], url: "http://" + a[5]}
	host, port := split(t, j.metrics)
	ui, err := filepath.Abs("ui.json")
	if err != nil {
		t.Fatal(err)
	}
	start(t, "jaeger", parts.Jaeger, "http://"+j.health+"/status", []string{
		"JAEGER_OTLP_GRPC=" + j.otlp, "JAEGER_OTLP_HTTP=" + j.otlpHTTP, "JAEGER_HTTP=" + a[5], "JAEGER_GRPC=" + j.grpc, "JAEGER_HEALTH=" + j.health,
		"JAEGER_METRICS_HOST=" + host, "JAEGER_METRICS_PORT=" + port, "JAEGER_PROMETHEUS=" + prometheus, "JAEGER_UI_CONFIG=" + ui,
	}, "--config", "jaeger.yaml")
	return j
}

// startCollector starts the Collector in front of a Jaeger, and returns where it takes OTLP over gRPC and where its figures are.
func startCollector(t *testing.T, j jaegerAt) (otlp, figures string) {
	t.Helper()
	a := testkit.FreePorts(t, 5)
	host, port := split(t, a[4])
	start(t, "collector", parts.Collector, "http://"+a[2]+"/status", []string{
		"COLLECTOR_OTLP_GRPC=" + a[0], "COLLECTOR_OTLP_HTTP=" + a[1], "COLLECTOR_HEALTH=" + a[2], "COLLECTOR_PROMETHEUS=" + a[3],
		"COLLECTOR_METRICS_HOST=" + host, "COLLECTOR_METRICS_PORT=" + port, "COLLECTOR_QUEUE=" + t.TempDir(), "COLLECTOR_JAEGER=" + j.otlp,
	}, "--config", "../collector/collector.yaml")
	return a[0], a[3]
}

// startPrometheus starts a Prometheus at an address that scrapes one target every second.
func startPrometheus(t *testing.T, at, target string) {
	t.Helper()
	folder := t.TempDir()
	config := filepath.Join(folder, "prometheus.yaml")
	text := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs: [{job_name: collector, honor_labels: true, static_configs: [{targets: [%q]}]}]\n", target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "prometheus", func(context.Context) (string, error) { return parts.Prometheus() }, "http://"+at+"/-/ready", nil,
		"--config.file", config, "--storage.tsdb.path", filepath.Join(folder, "data"), "--web.listen-address", at)
}

func split(t *testing.T, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// get reads a page.
func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s: %.200s", url, response.Status, body)
	}
	return string(body), nil
}

// getJSON reads a page of JSON.
func getJSON(ctx context.Context, url string, into any) error {
	text, err := get(ctx, url)
	if err != nil {
		return err
	}
	if err := json.NewDecoder(strings.NewReader(text)).Decode(into); err != nil {
		return fmt.Errorf("%s: %w: %.200s", url, err, text)
	}
	return nil
}
