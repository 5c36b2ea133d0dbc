package doctor_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/testkit"
	"tracelab/services/flows"
)

// serve answers on a port of its own until the test ends.
func serve(t *testing.T, mux http.Handler) string {
	t.Helper()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func write(w http.ResponseWriter, text string) { _, _ = w.Write([]byte(text)) } // a client that has gone has what it wanted

// jaegerServer answers api/v3 as Jaeger 2.19 does, with the spans that a collector has.
type jaegerServer struct {
	url  string
	from *testkit.SpanStore
}

func newJaeger(t *testing.T, from *testkit.SpanStore) *jaegerServer {
	t.Helper()
	s := &jaegerServer{from: from}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		write(w, "<!doctype html><title>Jaeger UI</title>")
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { write(w, `{"status":"StatusOK"}`) })
	mux.HandleFunc("GET /api/v3/traces/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.answer(t, w, func(trace string, _ []spanOf) bool { return trace == r.PathValue("id") })
	})
	mux.HandleFunc("GET /api/v3/traces", func(w http.ResponseWriter, r *http.Request) {
		service, name := r.FormValue("query.serviceName"), r.FormValue("query.operationName")
		from, err := time.Parse(time.RFC3339Nano, r.FormValue("query.startTimeMin"))
		if err != nil {
			t.Error(err)
		}
		s.answer(t, w, func(_ string, spans []spanOf) bool {
			for _, x := range spans {
				if x.service == service && x.span.Name() == name && x.span.StartTimestamp().AsTime().After(from) {
					return true
				}
			}
			return false
		})
	})
	s.url = serve(t, mux)
	return s
}

// spanOf is a span with its service.
type spanOf struct {
	service string
	span    ptrace.Span
}

// spans lists what a collector has, by trace.
func spans(t *testing.T, from *testkit.SpanStore) map[string][]spanOf {
	t.Helper()
	traces := map[string][]spanOf{}
	batches, _ := from.From(0)
	for _, batch := range batches {
		all, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(batch)
		if err != nil {
			t.Error(err)
			return nil
		}
		for _, resource := range all.ResourceSpans().All() {
			service, _ := resource.Resource().Attributes().Get("service.name")
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					id := span.TraceID().String()
					traces[id] = append(traces[id], spanOf{service.Str(), span})
				}
			}
		}
	}
	return traces
}

func (s *jaegerServer) answer(t *testing.T, w http.ResponseWriter, wanted func(trace string, spans []spanOf) bool) {
	found := ptrace.NewTraces()
	for id, list := range spans(t, s.from) {
		if !wanted(id, list) {
			continue
		}
		for _, x := range list {
			resource := found.ResourceSpans().AppendEmpty()
			resource.Resource().Attributes().PutStr("service.name", x.service)
			x.span.CopyTo(resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty())
		}
	}
	if found.SpanCount() == 0 {
		http.Error(w, `{"error":{"httpCode":404,"message":"No traces found"}}`, http.StatusNotFound)
		return
	}
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(found)
	if err != nil {
		t.Error(err)
	}
	write(w, `{"result":`+string(text)+`}`)
}

// collectorServer answers as the collector's health extension and its own metrics do, in their names of 0.155.
type collectorServer struct {
	url string

	mu    sync.Mutex
	state string // behind the spans that have come: "" for a Jaeger that takes them, or what is wrong
}

func newCollector(t *testing.T, from *testkit.SpanStore) *collectorServer {
	t.Helper()
	s := &collectorServer{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { write(w, `{"status":"StatusOK"}`) })
	mux.HandleFunc("GET /unwell/status", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"status":"StatusPermanentError"}`, http.StatusServiceUnavailable)
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		n := 0
		for _, list := range spans(t, from) {
			n += len(list)
		}
		write(w, s.text(n))
	})
	s.url = serve(t, mux)
	return s
}

func (s *collectorServer) set(state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

// text says what a collector that has taken n spans would.
func (s *collectorServer) text(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	answered := func(code string) string {
		to := `,server_address="jaeger",server_port="4317"`
		if code == "UNAVAILABLE" || code == "DEADLINE_EXCEEDED" { // no connection came to be
			to = ""
		}
		return fmt.Sprintf("rpc_client_call_duration_count{rpc_method=\"opentelemetry.proto.collector.trace.v1.TraceService/Export\",rpc_response_status_code=%q,"+
			"rpc_system_name=\"grpc\"%s} %d\n", code, to, n)
	}
	queue := func(size int) string {
		return fmt.Sprintf("# TYPE otelcol_exporter_queue_size gauge\notelcol_exporter_queue_size{data_type=\"traces\",exporter=\"otlp_grpc/jaeger\"} %d\n"+
			"otelcol_exporter_queue_capacity{data_type=\"traces\",exporter=\"otlp_grpc/jaeger\"} 100\n", size)
	}
	sent := fmt.Sprintf("otelcol_exporter_sent_spans{exporter=\"otlp_grpc/jaeger\",server_address=\"127.0.0.1\"} %d\n", n)
	text := fmt.Sprintf("otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"grpc\"} %d\n", n)
	switch {
	case n == 0: // a counter that has counted nothing is not there
		return queue(0) + "otelcol_process_uptime 1\n"
	case s.state == "UNIMPLEMENTED":
		return text + queue(0) + answered(s.state) + fmt.Sprintf("otelcol_exporter_send_failed_spans{exporter=\"otlp_grpc/jaeger\",error_permanent=\"true\"} %d\n", n)
	case s.state == "no room":
		return text + queue(1) + answered("OK") + sent + fmt.Sprintf("otelcol_exporter_enqueue_failed_spans{exporter=\"otlp_grpc/jaeger\"} %d\n", n)
	case s.state == "nearly full":
		return text + queue(90) + answered("OK") + sent
	case s.state == "dropped":
		return text + queue(0)
	case s.state != "":
		return text + queue(n) + answered(s.state)
	}
	return text + queue(0) + answered("OK") + sent
}

// prometheusServer answers the questions of the doctor as Prometheus does.
type prometheusServer struct {
	url      string
	services []string // that it has counts of

	mu        sync.Mutex
	targets   string          // of /api/v1/targets: the list
	asked     map[string]int  // how often a count was asked for
	stuck     map[string]bool // counts whose number for payment stays
	exemplars bool
}

func newPrometheus(t *testing.T, from *testkit.SpanStore) *prometheusServer {
	t.Helper()
	s := &prometheusServer{asked: map[string]int{}, stuck: map[string]bool{}, exemplars: true, services: flows.Order().Services(),
		targets: `{"scrapeUrl":"http://collector:8889/metrics","health":"up","lastError":"","labels":{"job":"services"}}`}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { write(w, "Ready.") })
	mux.HandleFunc("GET /api/v1/status/buildinfo", func(w http.ResponseWriter, _ *http.Request) {
		write(w, `{"status":"success","data":{"version":"3.0"}}`)
	})
	mux.HandleFunc("GET /api/v1/targets", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		write(w, `{"status":"success","data":{"activeTargets":[`+s.targets+`]}}`)
	})
	mux.HandleFunc("POST /api/v1/query", func(w http.ResponseWriter, r *http.Request) { write(w, s.count(r.FormValue("query"))) })
	mux.HandleFunc("POST /api/v1/query_exemplars", func(w http.ResponseWriter, r *http.Request) { write(w, s.exemplar(t, from)) })
	s.url = serve(t, mux)
	return s
}

// count answers with a number that is greater each time.
func (s *prometheusServer) count(query string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[query]++
	var results []string
	for _, name := range s.services {
		n := s.asked[query]
		for metric := range s.stuck {
			if name == "payment" && strings.Contains(query, metric) {
				n = 7
			}
		}
		results = append(results, fmt.Sprintf(`{"metric":{"service_name":%q},"value":[1,%q]}`, name, strconv.Itoa(n)))
	}
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(results, ",") + `]}}`
}

// exemplar answers with one that leads to a trace that the collector has.
func (s *prometheusServer) exemplar(t *testing.T, from *testkit.SpanStore) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := "[]"
	if s.exemplars {
		for id := range spans(t, from) {
			text, err := json.Marshal([]any{map[string]any{"exemplars": []any{map[string]any{"labels": map[string]string{"trace_id": id}}}}})
			if err != nil {
				t.Error(err)
			}
			list = string(text)
		}
	}
	return `{"status":"success","data":` + list + `}`
}

// screenServer answers as Grafana and Pyroscope do.
type screenServer struct {
	url string

	mu       sync.Mutex
	profiled string // the applications, as JSON
}

func newScreens(t *testing.T) *screenServer {
	t.Helper()
	s := &screenServer{profiled: `["pyroscope","tracelab"]`}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) { write(w, `{"database":"ok","version":"13.0"}`) })
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { write(w, "ready") })
	mux.HandleFunc("POST /querier.v1.QuerierService/LabelValues", func(w http.ResponseWriter, r *http.Request) {
		var question struct{ Name string }
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil || question.Name != "service_name" {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		write(w, `{"names":`+s.profiled+`}`)
	})
	s.url = serve(t, mux)
	return s
}
