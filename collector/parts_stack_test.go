//go:build stack

package collector_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tracelab/internal/parts"
	"tracelab/internal/testkit"
)

// programs are built once for all the tests.
var programs struct{ collector, jaeger, tracelab string }

// TestMain builds the real parts. Without one of them the tests fail; a skip would hide that nothing was tested.
func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "tracelab-collector-")
	if err != nil {
		fail(err)
	}
	build, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	if programs.collector, err = parts.Collector(build); err != nil {
		fail(err)
	}
	if programs.jaeger, err = parts.Jaeger(build); err != nil {
		fail(err)
	}
	programs.tracelab = filepath.Join(folder, "tracelab")
	if text, err := exec.CommandContext(build, "go", "build", "-o", programs.tracelab, "../cmd/tracelab").CombinedOutput(); err != nil {
		fail(fmt.Errorf("build tracelab: %w: %s", err, text))
	}
	cancel()
	code := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		fail(err)
	}
	os.Exit(code)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "the parts of the stack cannot be had:", err)
	os.Exit(1)
}

// patience is how long a condition is awaited. Nothing here needs more than some seconds on a quiet machine, but for gRPC's own delay before it
// connects again, which grows with the time that the other side was away, to 2 min 24 s.
const patience = 3 * time.Minute

// await asks again and again until the answer is nil.
func await(t testing.TB, what string, check func() error) {
	t.Helper()
	testkit.Await(t, what, patience, func(context.Context) error { return check() })
}

// collector is a Collector with this folder's configuration.
type collector struct {
	*parts.Process
	otlp, otlpHTTP, health, metrics, prometheus string // host:port
	queue, log                                  string
	command                                     parts.Command
}

// collectorOptions are what differs from collector.yaml as it is.
type collectorOptions struct {
	jaeger  string   // host:port of what it sends to; "": nothing listens there
	configs []string // further --config arguments, laid over collector.yaml
	env     []string
	limit   int // of the size of its files, in KiB; 0: none
}

func startCollector(t testing.TB, o collectorOptions) *collector {
	t.Helper()
	ports := testkit.FreePorts(t, 6)
	if o.jaeger == "" {
		o.jaeger = ports[5]
	}
	folder := t.TempDir()
	c := &collector{otlp: ports[0], otlpHTTP: ports[1], health: ports[2], metrics: ports[3], prometheus: ports[4],
		queue: filepath.Join(folder, "queue"), log: filepath.Join(folder, "collector.log")}
	if err := os.Mkdir(c.queue, 0o755); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(c.metrics)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--config", "collector.yaml"}
	for _, config := range o.configs {
		args = append(args, "--config", config)
	}
	c.command = parts.Command{Name: "collector", Path: programs.collector, Args: args, Log: c.log, Env: append([]string{
		"COLLECTOR_OTLP_GRPC=" + c.otlp, "COLLECTOR_OTLP_HTTP=" + c.otlpHTTP, "COLLECTOR_HEALTH=" + c.health,
		"COLLECTOR_METRICS_HOST=" + host, "COLLECTOR_METRICS_PORT=" + port, "COLLECTOR_PROMETHEUS=" + c.prometheus,
		"COLLECTOR_QUEUE=" + c.queue, "COLLECTOR_JAEGER=" + o.jaeger, "GOMEMLIMIT=120MiB"}, o.env...)}
	if o.limit > 0 { // a shell counts in blocks of 512 bytes
		c.command.Path = "/bin/sh"
		c.command.Args = append([]string{"-c", "ulimit -S -f " + strconv.Itoa(2*o.limit) + ` && exec "$0" "$@"`, programs.collector}, args...)
	}
	c.start(t)
	return c
}

// start starts it, or starts it again after a kill.
func (c *collector) start(t testing.TB) {
	t.Helper()
	c.Process = run(t, c.command, "http://"+c.health+"/status")
}

// logged tells whether the log has the text in it.
func (c *collector) logged(t testing.TB, text string) bool {
	t.Helper()
	log, err := os.ReadFile(c.log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(log), text)
}

// run starts a program and waits until it is healthy. It is ended with the test.
func run(t testing.TB, command parts.Command, health string) *parts.Process {
	t.Helper()
	process, err := parts.Start(context.Background(), command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", command.Name, process.LogTail(15))
		}
		if err := process.Kill(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := process.AwaitHTTP(ctx, health); err != nil {
		t.Fatal(err)
	}
	return process
}

// jaeger is a Jaeger with its room's configuration.
type jaeger struct {
	*parts.Process
	otlp, http, grpc string // host:port
	command          parts.Command
	health           string
}

// newJaeger has addresses and is not started.
func newJaeger(t testing.TB) *jaeger {
	t.Helper()
	ports := testkit.FreePorts(t, 6)
	host, port, err := net.SplitHostPort(ports[5])
	if err != nil {
		t.Fatal(err)
	}
	j := &jaeger{otlp: ports[0], http: ports[2], grpc: ports[3], health: ports[4]}
	j.command = parts.Command{Name: "jaeger", Path: programs.jaeger, Args: []string{"--config", "../jaeger/jaeger.yaml"},
		Log: filepath.Join(t.TempDir(), "jaeger.log"), Env: []string{
			"JAEGER_OTLP_GRPC=" + ports[0], "JAEGER_OTLP_HTTP=" + ports[1], "JAEGER_HTTP=" + j.http, "JAEGER_GRPC=" + j.grpc, "JAEGER_HEALTH=" + j.health,
			"JAEGER_METRICS_HOST=" + host, "JAEGER_METRICS_PORT=" + port, "JAEGER_PROMETHEUS=http://127.0.0.1:1", "JAEGER_UI_CONFIG=../jaeger/ui.json"}}
	return j
}

func startJaeger(t testing.TB) *jaeger {
	t.Helper()
	j := newJaeger(t)
	j.start(t)
	return j
}

func (j *jaeger) start(t testing.TB) {
	t.Helper()
	j.Process = run(t, j.command, "http://"+j.health+"/status")
}

// stored is a span in Jaeger.
type stored struct {
	trace, id string
	name      string
	tags      map[string]string
}

// spans asks for all the spans of some services, as stored: Jaeger's own answers leave exact duplicates out, unless they are asked for raw.
func (j *jaeger) spans(t testing.TB, services []string) []stored {
	t.Helper()
	var all []stored
	seen := map[string]bool{} // a trace of several services is in the answer for each
	for _, service := range services {
		query := url.Values{"service": {service}, "limit": {"20000"}, "raw": {"true"}, "lookback": {"custom"},
			"start": {strconv.FormatInt(time.Now().Add(-time.Hour).UnixMicro(), 10)}, "end": {strconv.FormatInt(time.Now().Add(time.Hour).UnixMicro(), 10)}}
		var answer struct {
			Data []struct {
				TraceID string `json:"traceID"`
				Spans   []struct {
					SpanID        string `json:"spanID"`
					OperationName string `json:"operationName"`
					Tags          []struct {
						Key   string `json:"key"`
						Value any    `json:"value"`
					} `json:"tags"`
				} `json:"spans"`
			} `json:"data"`
		}
		if err := json.Unmarshal([]byte(get(t, "http://"+j.http+"/api/traces?"+query.Encode(), "")), &answer); err != nil {
			t.Fatal(err)
		}
		for _, trace := range answer.Data {
			if seen[trace.TraceID] {
				continue
			}
			seen[trace.TraceID] = true
			for _, span := range trace.Spans {
				s := stored{trace: trace.TraceID, id: span.SpanID, name: span.OperationName, tags: map[string]string{}}
				for _, tag := range span.Tags {
					s.tags[tag.Key] = fmt.Sprint(tag.Value)
				}
				all = append(all, s)
			}
		}
	}
	return all
}

// get returns the body of an answer with 200.
func get(t testing.TB, address, accept string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s", address, answer.Status, body)
	}
	return string(body)
}
