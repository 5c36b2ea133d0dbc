package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // exporters may compress

	"tracelab/internal/testkit"
	"tracelab/services"
	"tracelab/services/flows"
)

// bothSink is an OTLP endpoint of the test that takes spans and metrics, as a collector does.
type bothSink struct {
	address string

	mu   sync.Mutex
	last map[string]int64 // by "service name{value of error.type or status, form}", of the newest export of each service
}

// spansOf takes spans for a bothSink.
type spansOf struct {
	ptraceotlp.UnimplementedGRPCServer
}

// Export takes spans.
func (*spansOf) Export(context.Context, ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	return ptraceotlp.NewExportResponse(), nil
}

// metricsOf takes metrics for a bothSink.
type metricsOf struct {
	pmetricotlp.UnimplementedGRPCServer
	sink *bothSink
}

// Export notes the sums.
func (m *metricsOf) Export(_ context.Context, r pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	m.sink.mu.Lock()
	defer m.sink.mu.Unlock()
	for _, resource := range r.Metrics().ResourceMetrics().All() {
		service := textOf(resource.Resource().Attributes(), "service.name")
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				if metric.Type() == pmetric.MetricTypeSum {
					for _, point := range metric.Sum().DataPoints().All() {
						a := point.Attributes()
						series := textOf(a, "error.type") + textOf(a, "tracelab.order.status") + textOf(a, "tracelab.form")
						m.sink.last[fmt.Sprintf("%s %s{%s}", service, metric.Name(), series)] = point.IntValue()
					}
				}
			}
		}
	}
	return pmetricotlp.NewExportResponse(), nil
}

// textOf is an attribute's value, or "" without it.
func textOf(attributes pcommon.Map, key string) string {
	value, ok := attributes.Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}

func startBothSink(t *testing.T) *bothSink {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &bothSink{address: listener.Addr().String(), last: map[string]int64{}}
	server := grpc.NewServer()
	pmetricotlp.RegisterGRPCServer(server, &metricsOf{sink: s})
	ptraceotlp.RegisterGRPCServer(server, &spansOf{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestServeSendsItsLastMetrics: what was counted is there when the process has ended, the last spans included.
func TestServeSendsItsLastMetrics(t *testing.T) {
	t.Parallel()
	sink := startBothSink(t)
	s := start(t, append([]string{"serve", "all", "--otlp", sink.address}, anywhere(flows.Order().Services()...)...)...)
	s.await(t, `(?m)^ready: gateway, `)
	for range 3 {
		request, err := http.NewRequest(http.MethodPost, s.url(t, "gateway")+"/orders", strings.NewReader(`{"customer":"c","sku":"tea-green","quantity":1}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Baggage", services.KeyForm+"=grpc")
		response, err := oneRequest().Do(request)
		if status, body := answer(t, response, err); status != http.StatusCreated {
			t.Fatalf("placing an order: %d %s", status, body)
		}
	}
	if status := s.end(t); status != exitDone {
		t.Errorf("exit status %d: %s", status, s)
	}
	var started, exported, dropped int64
	sums := regexp.MustCompile(`(?m)^spans: .*$`).FindString(s.String())
	if _, err := fmt.Sscanf(sums, "spans: started %d = exported %d + dropped %d", &started, &exported, &dropped); err != nil {
		t.Fatalf("%v: %s", err, s)
	}
	for name, want := range map[string]int64{
		"orders tracelab.orders{acceptedgrpc}": 3, "orders tracelab.orders{completedgrpc}": 3,
		"gateway otel.sdk.span.started{}": started, "gateway otel.sdk.exporter.span.exported{}": exported,
	} {
		if got := sink.last[name]; got != want || want == 0 {
			t.Errorf("%s: %d in the last export, want %d", name, got, want)
		}
	}
	if _, ok := sink.last["gateway go.memory.allocated{}"]; !ok {
		t.Error("the process does not tell of its memory")
	}
}

// TestRunSendsMetrics: of the client and the services in its process.
func TestRunSendsMetrics(t *testing.T) {
	t.Parallel()
	sink := startBothSink(t)
	result, status := do(t, "--orders", "4", "--otlp", sink.address)
	if status != exitDone || sink.last["orders tracelab.orders{completedgrpc}"] != 4 || sink.last["client otel.sdk.span.started{}"] != result.Spans.Started {
		t.Errorf("exit status %d, %d spans started, metrics %v", status, result.Spans.Started, sink.last)
	}
}

// TestServeWithABlackHole: a collector that takes connections and never answers delays no order and not the end.
func TestServeWithABlackHole(t *testing.T) {
	hole, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hole.Close() }()
	var swallowed atomic.Int64 // connections of which something was read
	go func() {
		for {
			conn, err := hole.Accept()
			if err != nil {
				return
			}
			go func() {
				if n, _ := io.CopyN(io.Discard, conn, 1); n > 0 {
					swallowed.Add(1)
				}
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
		}
	}()
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
	s := start(t, append([]string{"serve", "all", "--otlp", hole.Addr().String()}, anywhere(flows.Order().Services()...)...)...)
	s.await(t, `(?m)^ready: gateway, `)
	request, err := http.NewRequest(http.MethodPost, s.url(t, "gateway")+"/orders", strings.NewReader(`{"customer":"c","sku":"tea-green","quantity":1}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Baggage", services.KeyForm+"=rest")
	response, err := oneRequest().Do(request)
	if status, body := answer(t, response, err); status != http.StatusCreated {
		t.Errorf("placing an order: %d %s", status, body)
	}
	testkit.Await(t, "exports are under way", 20*time.Second, func(context.Context) error {
		if n := swallowed.Load(); n < 2 {
			return fmt.Errorf("%d connections, want one for spans and one for metrics", n)
		}
		return nil
	})
	began := time.Now()
	if status := s.end(t); status != exitNotSo || !strings.Contains(s.String(), "spans were dropped") {
		t.Errorf("exit status %d, and it does not tell of lost spans: %s", status, s)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the end took %v, want less than 5s: %s", took, s)
	}
}
