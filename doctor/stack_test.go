//go:build stack

package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"tracelab/doctor"
	"tracelab/internal/freeport"
	"tracelab/internal/otlp"
	"tracelab/internal/parts"
	"tracelab/services"
	"tracelab/services/flows"
)

// realLab is the lab on real parts: Kafka, the Collector, Jaeger and Prometheus as processes with the configuration files
// of this repository, and the services as two processes, of which payment is one.
type realLab struct {
	root, folder string
	programs     struct{ collector, jaeger, prometheus, tracelab string }
	kafka        string
	collector    struct{ grpc, http, health, metrics, prometheus string }
	jaeger       struct{ otlp, http, grpc, health, metrics string }
	prometheus   string
	http, grpc   map[string]string
	config       doctor.Config
}

// TestOnRealParts breaks hops between real parts, one after the other, and mends each again.
func TestOnRealParts(t *testing.T) {
	l := newRealLab(t)
	l.startKafka(t)
	jaeger := l.startJaeger(t)
	collector := l.startCollector(t, l.jaeger.otlp, 0)
	l.startPrometheus(t, l.prometheus, l.scrapeConfig(t))
	l.startServices(t, l.collector.grpc, services.Gateway, "orders", "inventory", "shipping", "notification", "analytics")
	payment := l.startServices(t, l.collector.grpc, "payment")
	if report, err := doctor.Wait(t.Context(), l.config); err != nil || report.FirstBroken != nil {
		t.Fatalf("%v\n%s", err, lines(report))
	}

	if report := examine(t, l.config); report.FirstBroken != nil {
		t.Fatalf("nothing is broken yet:\n%s", lines(report))
	}
	quick := l.config // Prometheus takes its time
	quick.Prometheus = ""

	overHTTP := quick
	overHTTP.OTLP = []string{l.collector.http}
	l.broken(t, "grpc at the collector's port for http", overHTTP, "otlp", "HTTP/1 is spoken there")
	overGRPC := quick
	overGRPC.OTLP = []string{"http://" + l.collector.grpc}
	l.broken(t, "http at the collector's port for grpc", overGRPC, "otlp", "HTTP/2 is spoken there")

	empty := l.config
	empty.Prometheus = l.startEmptyPrometheus(t)
	l.broken(t, "prometheus without scrape", empty, "prometheus-targets", "it has no scrape targets")

	stop(t, payment)
	payment = l.startServices(t, nobody(t), "payment")
	l.broken(t, "payment with a wrong --otlp", quick, "trace-rest", "payment worked on order", "missing: payment)")
	stop(t, payment)
	l.broken(t, "payment stopped", quick, "services", "the gateway waits for payment")
	l.startServices(t, l.collector.grpc, "payment")

	stop(t, collector)
	l.broken(t, "collector stopped", quick, "collector", "connection refused")
	for _, c := range []struct{ name, to, seen string }{
		{"collector to a wrong port of jaeger", nobody(t), "UNAVAILABLE"},
		{"collector to jaeger's port for questions", l.jaeger.grpc, "UNIMPLEMENTED"},
		{"collector to jaeger's port for http", l.jaeger.http, "UNAVAILABLE"},
		{"collector in plaintext to tls", strings.TrimPrefix(overTLS(t, "h2"), "https://"), "UNAVAILABLE"},
		{"collector to a black hole", blackHole(t), "DEADLINE_EXCEEDED"},
	} {
		collector = l.startCollector(t, c.to, 0)
		l.broken(t, c.name, quick, "collector-export", c.seen)
		stop(t, collector)
	}
	collector = l.startCollector(t, nobody(t), 256)
	l.fill(t)
	l.broken(t, "no room on the disk of the collector's queue", quick, "otlp", "file too large")
	stop(t, collector)

	l.startCollector(t, l.jaeger.otlp, 0)
	if report := examine(t, quick); report.FirstBroken != nil {
		t.Fatalf("everything is mended:\n%s", lines(report))
	}
	stop(t, jaeger)
	l.broken(t, "jaeger stopped", quick, "jaeger", "connection refused")
	noJaeger := quick
	noJaeger.Jaeger, noJaeger.JaegerHealth = "", ""
	l.broken(t, "jaeger stopped, and not named", noJaeger, "collector-export", "UNAVAILABLE")
	l.stopKafka(t)
	l.broken(t, "kafka stopped", quick, "kafka", "connection refused")
}

// broken examines, and wants one check to be named first.
func (l *realLab) broken(t *testing.T, name string, config doctor.Config, want string, seen ...string) {
	t.Helper()
	began := time.Now()
	report := examine(t, config)
	if report.FirstBroken == nil || *report.FirstBroken != want {
		t.Errorf("%s: want %s broken first:\n%s", name, want, lines(report))
		return
	}
	for _, c := range report.Checks {
		if c.Name != want {
			continue
		}
		for _, words := range seen {
			if !strings.Contains(c.Seen, words) {
				t.Errorf("%s: seen %q, want %q in it", name, c.Seen, words)
			}
		}
		t.Logf("%s (%v):\n  %s\n  %s", name, time.Since(began).Round(time.Millisecond), c.Seen, c.Fix)
	}
}

func newRealLab(t *testing.T) *realLab {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute) // to build
	defer cancel()
	l := &realLab{folder: t.TempDir()}
	var errs [4]error
	l.root, errs[0] = parts.Root()
	l.programs.collector, errs[1] = parts.Collector(ctx)
	l.programs.jaeger, errs[2] = parts.Jaeger(ctx)
	l.programs.prometheus, errs[3] = parts.Prometheus()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	l.programs.tracelab = filepath.Join(l.folder, "tracelab")
	if text, err := exec.CommandContext(ctx, "go", "build", "-o", l.programs.tracelab, "../cmd/tracelab").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	p, err := freeport.InARow(12)
	if err != nil {
		t.Fatal(err)
	}
	l.collector.grpc, l.collector.http, l.collector.health, l.collector.metrics, l.collector.prometheus = p[0], p[1], p[2], p[3], p[4]
	l.jaeger.otlp, l.jaeger.http, l.jaeger.grpc, l.jaeger.health, l.jaeger.metrics, l.prometheus = p[5], p[7], p[8], p[9], p[10], p[11] // 6: OTLP over HTTP
	l.http, l.grpc = freeAddresses(t, flows.Order())
	l.config = doctor.Config{
		Gateway: "http://" + l.http[services.Gateway], OTLP: []string{l.collector.grpc, "http://" + l.collector.http}, Collector: "http://" + l.collector.health,
		CollectorMetrics: "http://" + l.collector.metrics, Jaeger: "http://" + l.jaeger.http, JaegerHealth: "http://" + l.jaeger.health,
		Prometheus: "http://" + l.prometheus, Timeout: time.Minute, Version: "test", Logger: discard,
	}
	return l
}

// run starts a program with its log in the folder of the test, and waits until it is healthy. One that crashes before that is started once more, as
// whatever supervises it would: a Collector was seen to crash when spans came while it started.
func (l *realLab) run(t *testing.T, name, health string, command parts.Command) *parts.Process {
	t.Helper()
	command.Name, command.Dir, command.Log = name, l.root, filepath.Join(l.folder, name+".log")
	process, err := l.runOnce(t, health, command)
	if err != nil && process.Err() != nil {
		t.Log(err)
		process, err = l.runOnce(t, health, command)
	}
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// runOnce starts a program, which ends with the test, and waits until it is healthy.
func (l *realLab) runOnce(t *testing.T, health string, command parts.Command) (*parts.Process, error) {
	t.Helper()
	process, err := parts.Start(context.Background(), command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", command.Name, process.LogTail(3))
		}
		if err := process.Kill(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return process, process.AwaitHTTP(ctx, health)
}

// stop ends a program as an orchestrator would.
func stop(t *testing.T, p *parts.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Log(err) // a service whose spans nobody takes says so when it ends
	}
}

func (l *realLab) startCollector(t *testing.T, jaeger string, limit int) *parts.Process {
	t.Helper()
	queue := t.TempDir() // what waits for a wrong Jaeger is not for the next
	host, port, err := net.SplitHostPort(l.collector.metrics)
	if err != nil {
		t.Fatal(err)
	}
	c := parts.Command{Path: l.programs.collector, Args: []string{"--config", "collector/collector.yaml"}, Env: []string{
		"COLLECTOR_OTLP_GRPC=" + l.collector.grpc, "COLLECTOR_OTLP_HTTP=" + l.collector.http, "COLLECTOR_HEALTH=" + l.collector.health,
		"COLLECTOR_METRICS_HOST=" + host, "COLLECTOR_METRICS_PORT=" + port, "COLLECTOR_PROMETHEUS=" + l.collector.prometheus,
		"COLLECTOR_QUEUE=" + queue, "COLLECTOR_JAEGER=" + jaeger}}
	if limit > 0 { // of the size of its files stands for a disk; a shell counts in blocks of 512 bytes
		c.Path, c.Args = "/bin/sh", append([]string{"-c", fmt.Sprintf(`ulimit -S -f %d && exec "$0" "$@"`, 2*limit), l.programs.collector}, c.Args...)
	}
	return l.run(t, "collector", "http://"+l.collector.health+"/status", c)
}

func (l *realLab) startJaeger(t *testing.T) *parts.Process {
	t.Helper()
	host, port, err := net.SplitHostPort(l.jaeger.metrics)
	if err != nil {
		t.Fatal(err)
	}
	otlpHTTP := nobody(t)
	return l.run(t, "jaeger", "http://"+l.jaeger.health+"/status", parts.Command{Path: l.programs.jaeger, Args: []string{"--config", "jaeger/jaeger.yaml"}, Env: []string{
		"JAEGER_OTLP_GRPC=" + l.jaeger.otlp, "JAEGER_OTLP_HTTP=" + otlpHTTP, "JAEGER_HTTP=" + l.jaeger.http, "JAEGER_GRPC=" + l.jaeger.grpc,
		"JAEGER_HEALTH=" + l.jaeger.health, "JAEGER_METRICS_HOST=" + host, "JAEGER_METRICS_PORT=" + port, "JAEGER_PROMETHEUS=http://" + l.prometheus,
		"JAEGER_UI_CONFIG=jaeger/ui.json"}})
}

// scrapeConfig is prometheus.yaml with the addresses of this test.
func (l *realLab) scrapeConfig(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(l.root, "prometheus", "prometheus.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("collector:8889", l.collector.prometheus, "collector:8888", l.collector.metrics, "jaeger:8887", l.jaeger.metrics,
		"prometheus:9090", l.prometheus, "rules.yaml", filepath.Join(l.root, "prometheus", "rules.yaml")).Replace(string(text))
}

func (l *realLab) startPrometheus(t *testing.T, address, config string) {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "prometheus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	l.run(t, "prometheus", "http://"+address+"/-/ready", parts.Command{Path: l.programs.prometheus, Args: []string{"--config.file=" + file,
		"--storage.tsdb.path=" + filepath.Join(folder, "data"), "--web.listen-address=" + address, "--enable-feature=exemplar-storage"}})
}

// startEmptyPrometheus starts one that scrapes nothing, and returns its URL.
func (l *realLab) startEmptyPrometheus(t *testing.T) string {
	t.Helper()
	address := nobody(t)
	l.startPrometheus(t, address, "global: {}\n")
	return "http://" + address
}

// startServices starts one process of services and waits until each answers.
func (l *realLab) startServices(t *testing.T, otlp string, names ...string) *parts.Process {
	t.Helper()
	args := append([]string{"serve"}, names...)
	for _, name := range flows.Order().Services() {
		args = append(args, "--http", name+"="+l.http[name], "--grpc", name+"="+l.grpc[name])
	}
	args = append(args, "--kafka", l.kafka, "--otlp", otlp, "--host", "lab")
	return l.run(t, "services-"+names[0], "http://"+l.http[names[0]]+"/healthz", parts.Command{Path: l.programs.tracelab, Args: args, Env: []string{"OTEL_METRIC_EXPORT_INTERVAL=1000"}})
}

func (l *realLab) startKafka(t *testing.T) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "run", "./tools/kafka", "start", "-state", filepath.Join(l.folder, "kafka"), "-port", "0")
	command.Dir = l.root
	var talk strings.Builder
	command.Stderr = &talk
	address, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, talk.String())
	}
	t.Cleanup(func() { l.stopKafka(t) })
	l.kafka = strings.TrimSpace(string(address))
	l.config.Kafka = []string{l.kafka}
}

// stopKafka may be called again.
func (l *realLab) stopKafka(t *testing.T) {
	t.Helper()
	command := exec.CommandContext(context.Background(), "go", "run", "./tools/kafka", "stop", "-state", filepath.Join(l.folder, "kafka"))
	command.Dir = l.root
	if text, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, text)
	}
}

// fill sends spans until the collector takes no more, large ones and then small ones. After a few refusals the file of the queue may have room for one
// more, so many in a row are wanted.
func (l *realLab) fill(t *testing.T) {
	t.Helper()
	client := otlp.NewTraceClientOnce(endpoint(t, "http://"+l.collector.http))
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Stop(t.Context()) }()
	for _, size := range []int{8 << 10, 1} {
		for sent, refused := 0, 0; refused < 30; sent++ {
			if sent > 2000 {
				t.Fatalf("the collector has taken %d spans of %d bytes and takes more", sent, size)
			}
			once, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			if err := client.UploadTraces(once, filling(size)); err != nil {
				refused++
			} else {
				refused = 0
			}
			cancel()
		}
	}
}

// filling is one span with a text of some bytes.
func filling(size int) []*tracepb.ResourceSpans {
	text := &commonpb.KeyValue{Key: "text", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: strings.Repeat("x", size)}}}
	span := &tracepb.Span{TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"), Name: "filling", StartTimeUnixNano: 1, EndTimeUnixNano: 2, Attributes: []*commonpb.KeyValue{text}}
	return []*tracepb.ResourceSpans{{Resource: &resourcepb.Resource{}, ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{span}}}}}
}
