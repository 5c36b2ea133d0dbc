package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/freeport"
	"tracelab/internal/otlp"
	"tracelab/internal/poll"
	"tracelab/internal/testkit"
	"tracelab/services"
	"tracelab/services/flows"
)

func TestServeStartsSomeServices(t *testing.T) {
	t.Parallel()
	args := append([]string{"serve", "payment", "gateway"}, anywhere("gateway", "payment")...)
	for _, name := range flows.Order().Services() {
		if name != "gateway" && name != "payment" { // else they are looked for at the default ports, where others of ours may answer
			args = append(args, "--http", name+"=127.0.0.1:1", "--grpc", name+"=127.0.0.1:1")
		}
	}
	s := start(t, args...)
	s.await(t, `(?m)^ready: payment, gateway$`)
	for _, word := range []string{"no --kafka: ", "spans go nowhere"} {
		if !strings.Contains(s.String(), word) {
			t.Errorf("it does not say %q: %s", word, s)
		}
	}
	if status, body := get(t, s.url(t, "payment")+"/healthz"); status != http.StatusOK || !strings.Contains(body, `"payment"`) {
		t.Errorf("healthz of payment: %d %s", status, body)
	}
	if status, body := get(t, s.url(t, "payment")+"/readyz"); status != http.StatusOK {
		t.Errorf("readyz of payment: %d %s", status, body)
	}
	status, body := get(t, s.url(t, "gateway")+"/readyz")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, `"orders"`) || strings.Contains(body, `"payment"`) {
		t.Errorf("readyz of a gateway with nothing but payment behind it: %d %s", status, body)
	}
	if status := s.end(t); status != exitDone || !strings.Contains(s.String(), "stopped: payment, gateway\n") {
		t.Errorf("exit status %d: %s", status, s)
	}
}

// TestServeDrains stops all services right after an order was accepted: it is finished all the same, and every span of
// it arrives.
func TestServeDrains(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	collector := testkit.NewSpanStore()
	receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: "127.0.0.1:0", Keep: collector.Add, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	overGRPC, _ := receiver.Addresses()
	args := append([]string{"serve", "all", "--kafka", cluster.ListenAddrs()[0], "--otlp", overGRPC}, anywhere(flows.Order().Services()...)...)
	s := start(t, args...)
	s.await(t, `(?m)^ready: gateway, `)
	if !strings.Contains(s.String(), "orders keeps its state in the memory of this process") {
		t.Errorf("it does not say that it forgets: %s", s)
	}
	if status, body := place(t, s.url(t, "gateway")); status != http.StatusAccepted {
		t.Fatalf("placing an order: %d %s", status, body)
	}
	if status := s.end(t); status != exitDone {
		t.Errorf("exit status %d: %s", status, s)
	}
	if err := receiver.Close(t.Context()); err != nil {
		t.Error(err)
	}
	var started, exported, dropped int
	sums := regexp.MustCompile(`(?m)^spans: .*$`).FindString(s.String())
	if _, err := fmt.Sscanf(sums, "spans: started %d = exported %d + dropped %d", &started, &exported, &dropped); err != nil {
		t.Fatalf("%v: %s", err, s)
	}
	names := received(t, collector)
	if started != exported || dropped != 0 || len(names) != exported {
		t.Errorf("started %d, exported %d, dropped %d, received %d", started, exported, dropped, len(names))
	}
	if !slices.Contains(names, "orders.Complete") {
		t.Errorf("the order was not finished: %q", names)
	}
}

// received lists the names of the spans that a collector has.
func received(t *testing.T, collector *testkit.SpanStore) []string {
	t.Helper()
	var names []string
	batches, _ := collector.From(0)
	for _, batch := range batches {
		traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(batch)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range traces.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					names = append(names, span.Name())
				}
			}
		}
	}
	return names
}

// TestServeObeysFaultsOnlyWhenAllowed asks the gateway, as a run does.
func TestServeObeysFaultsOnlyWhenAllowed(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		args := append([]string{"serve", "analytics"}, anywhere("analytics")...)
		if allowed {
			args = append(args, "--allow-faults")
		}
		s := start(t, args...)
		s.await(t, `(?m)^ready: `)
		_, body := get(t, s.url(t, "analytics")+"/readyz")
		var ready struct {
			Allowed bool `json:"faults_allowed"`
		}
		if err := json.Unmarshal([]byte(body), &ready); err != nil || ready.Allowed != allowed {
			t.Errorf("allowed %v: %v, %s", allowed, err, body)
		}
		if status := s.end(t); status != exitDone {
			t.Errorf("exit status %d: %s", status, s)
		}
	}
}

// TestServeTrouble holds that what stands in the way is one line with its name, within five seconds.
func TestServeTrouble(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	file := filepath.Join(t.TempDir(), "effects")
	effects, err := services.OpenStore(t.Context(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = effects.Close() }()
	for name, c := range map[string]struct{ args, want string }{
		"store in use":       {"serve payment --http payment=127.0.0.1:0 --grpc payment=127.0.0.1:0 --store " + file, "--store: store file " + file + ": another process has it open: give each process a file of its own"},
		"http port in use":   {"serve payment --http payment=" + taken.Addr().String(), "payment cannot listen on " + taken.Addr().String() + ": the port is in use: stop what listens there or choose another address"},
		"grpc port in use":   {"serve payment --http payment=127.0.0.1:0 --grpc payment=" + taken.Addr().String(), "payment cannot listen on " + taken.Addr().String()},
		"broker unreachable": {"serve payment --http payment=127.0.0.1:0 --grpc payment=127.0.0.1:0 --kafka 127.0.0.1:1", "kafka broker 127.0.0.1:1 cannot be reached: start it (task kafka), or name another with --kafka"},
		"receiver in use":    {"run --target http://127.0.0.1:1 --receive-otlp " + taken.Addr().String() + " --out " + t.TempDir(), "otlp receiver cannot listen on " + taken.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			s := start(t, strings.Fields(c.args)...)
			if status := s.ended(t); status != exitNotSo {
				t.Errorf("exit status %d", status)
			}
			if text := s.String(); !strings.Contains(text, c.want) || strings.Count(text, "\n") != 1 {
				t.Errorf("want one line with %q: %s", c.want, text)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// twoFreePorts finds an address for --receive-otlp: its port and the one behind it are free.
func twoFreePorts(t *testing.T) string {
	t.Helper()
	addresses, err := freeport.InARow(2)
	if err != nil {
		t.Fatal(err)
	}
	return addresses[0]
}

// TestServeWithAnEmbeddedKafka places an order by message, with nothing else on the machine.
func TestServeWithAnEmbeddedKafka(t *testing.T) {
	t.Parallel()
	s := start(t, append([]string{"serve", "all", "--kafka", "embedded"}, anywhere(flows.Order().Services()...)...)...)
	s.await(t, `(?m)^kafka +127\.0\.0\.1:\d+  \(embedded, in memory`)
	s.await(t, `(?m)^ready: `)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url(t, "gateway")+"/orders", strings.NewReader(`{"customer":"ada","sku":"tea-green","quantity":1}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Baggage": {"tracelab.form=kafka"}}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusAccepted {
		t.Fatalf("answered %s, %v, want 202", response.Status, err)
	}
	order := s.url(t, "gateway") + response.Header.Get("Location")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := poll.Until(ctx, 20*time.Millisecond, func(context.Context) error {
		if _, body := get(t, order); !strings.Contains(body, `"completed"`) {
			return errors.New(body)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	if status := s.end(t); status != exitDone {
		t.Errorf("exit status %d: %s", status, s)
	}
}
