package otlp_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"

	"tracelab/internal/otlp"
	"tracelab/internal/telemetry"
)

// metricSink is an OTLP endpoint of the test, over gRPC and HTTP.
type metricSink struct {
	pmetricotlp.UnimplementedGRPCServer
	mu    sync.Mutex
	taken []pmetric.Metrics
	paths []string
}

func (s *metricSink) Export(_ context.Context, r pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, r.Metrics())
	return pmetricotlp.NewExportResponse(), nil
}

func (s *metricSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := pmetricotlp.NewExportRequest()
	if err := errors.Join(err, request.UnmarshalProto(body)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths, s.taken = append(s.paths, r.URL.Path), append(s.taken, request.Metrics())
}

// has tells whether a service's counter came with a value.
func (s *metricSink) has(service, name string, value int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, metrics := range s.taken {
		for _, resource := range metrics.ResourceMetrics().All() {
			if of, _ := resource.Resource().Attributes().Get("service.name"); of.AsString() != service {
				continue
			}
			for _, scope := range resource.ScopeMetrics().All() {
				for _, m := range scope.Metrics().All() {
					if m.Name() == name && m.Sum().DataPoints().At(0).IntValue() == value {
						return true
					}
				}
			}
		}
	}
	return false
}

// TestMetricsGoWhereSpansGo sends over gRPC, HTTP, and by the standard variables, and has the last values at the end.
func TestMetricsGoWhereSpansGo(t *testing.T) {
	sink := &metricSink{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	overGRPC := grpc.NewServer()
	pmetricotlp.RegisterGRPCServer(overGRPC, sink)
	served := make(chan error, 1)
	go func() { served <- overGRPC.Serve(listener) }()
	defer func() {
		overGRPC.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	overHTTP := httptest.NewServer(sink)
	defer overHTTP.Close()
	for name, c := range map[string]struct{ address, protocol, variable string }{
		"grpc":                      {address: listener.Addr().String()},
		"http":                      {address: overHTTP.URL},
		"http with the spans' path": {address: overHTTP.URL + "/v1/traces"},
		"variable, grpc":            {variable: "http://" + listener.Addr().String()},
		"variable, http":            {variable: overHTTP.URL, protocol: "http/protobuf"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.variable != "" {
				t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.variable)
				t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", c.protocol)
			}
			to, err := otlp.ParseDestination(c.address, os.Getenv)
			if err != nil {
				t.Fatal(err)
			}
			exporter, err := otlp.NewMetricExporter(t.Context(), to.Metrics)
			if err != nil {
				t.Fatal(err)
			}
			m := telemetry.NewMetrics(exporter, slog.New(slog.DiscardHandler))
			config := telemetry.Config{Reader: m.Reader, Host: "h", Version: "v"}
			for _, service := range []string{"gateway", "orders"} {
				p, err := config.New(service)
				if err != nil {
					t.Fatal(err)
				}
				counter, err := p.Meters.Meter(telemetry.Scope).Int64Counter("things")
				if err != nil {
					t.Fatal(err)
				}
				counter.Add(t.Context(), 7)
			}
			if err := m.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if !sink.has("gateway", "things", 7) || !sink.has("orders", "things", 7) {
				t.Errorf("not all of what was counted came before the end: %d exports", len(sink.taken))
			}
			sink.taken = nil
		})
	}
	for _, path := range sink.paths {
		if path != "/v1/metrics" {
			t.Errorf("metrics went to %s", path)
		}
	}
	if len(sink.paths) == 0 {
		t.Error("nothing came over HTTP")
	}
}
