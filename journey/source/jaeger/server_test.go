package jaeger_test

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

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// base is when the spans of the tests are.
var base = time.Date(2026, 9, 1, 12, 0, 0, 123456789, time.UTC)

// trace is one of those that the servers have: two spans of service shop, with an attribute order.
func trace(n byte) ptrace.Traces {
	all := ptrace.NewTraces()
	rs := all.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	rs.Resource().Attributes().PutStr("run", "r1")
	ss := rs.ScopeSpans().AppendEmpty()
	for id := byte(1); id <= 2; id++ {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{15: n})
		s.SetSpanID(pcommon.SpanID{7: id})
		s.SetName("op " + strconv.Itoa(int(id)))
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(base))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(base.Add(time.Duration(id) * time.Second)))
		s.SetFlags(0x101)
		if id == 2 {
			s.SetParentSpanID(pcommon.SpanID{7: 1})
			s.Attributes().PutStr("order", strconv.Itoa(int(n)))
		}
	}
	return all
}

func otlp(t testing.TB, traces ...ptrace.Traces) string {
	t.Helper()
	all := ptrace.NewTraces()
	for _, one := range traces {
		one.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
	}
	var m ptrace.JSONMarshaler
	text, err := m.MarshalTraces(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// version is what a Jaeger speaks.
type version struct {
	camel bool // names in camelCase, and search by attribute: from 2.19 on
	snake bool // names in snake_case
	v3    bool
}

var (
	newest = version{camel: true, v3: true}               // when the old names will have gone
	v219   = version{camel: true, snake: true, v3: true}  // both
	v213   = version{camel: false, snake: true, v3: true} // before
	v1     = version{}                                    // without api/v3
)

// server answers as Jaeger does: errors in its words and as text/plain, and the UI's page for everything else. It has the
// traces 1 to 3.
type server struct {
	*httptest.Server
	version

	mu    sync.Mutex
	asked []string
}

func newServer(t testing.TB, v version) *server {
	t.Helper()
	s := &server{version: v}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		write(w, "<!doctype html><title>Jaeger UI</title>")
	})
	mux.HandleFunc("GET /api/traces/{id}", s.own)
	if v.v3 {
		mux.HandleFunc("GET /api/v3/traces/{id}", func(w http.ResponseWriter, r *http.Request) { s.get(t, w, r) })
		mux.HandleFunc("GET /api/v3/traces", func(w http.ResponseWriter, r *http.Request) { s.find(t, w, r) })
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Path)
		s.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func write(w http.ResponseWriter, text string) { _, _ = w.Write([]byte(text)) } // a client that has gone has what it wanted

func fail(w http.ResponseWriter, code int, message string) {
	http.Error(w, fmt.Sprintf(`{"error":{"httpCode":%d,"message":%q}}`, code, message), code)
}

func number(id string) byte {
	n, err := strconv.ParseUint(strings.TrimLeft(id, "0"), 16, 8)
	if err != nil || n > 3 {
		return 0
	}
	return byte(n)
}

func (s *server) get(t testing.TB, w http.ResponseWriter, r *http.Request) {
	n := number(r.PathValue("id"))
	if n == 0 {
		fail(w, http.StatusNotFound, "No traces found")
		return
	}
	write(w, `{"result":`+otlp(t, trace(n))+`}`)
}

// own is Jaeger's own JSON.
func (s *server) own(w http.ResponseWriter, r *http.Request) {
	n := number(r.PathValue("id"))
	if n == 0 {
		http.Error(w, `{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"trace not found"}]}`, http.StatusNotFound)
		return
	}
	write(w, fmt.Sprintf(`{"data":[{"traceID":"%016x","spans":[{"traceID":"%016x","spanID":"%016x","operationName":"op 1","references":[],"startTime":%d,"duration":1000000,`+
		`"tags":[],"logs":[],"processID":"p1","warnings":null}],"processes":{"p1":{"serviceName":"shop","tags":[]}},"warnings":null}],"total":0,"limit":0,"offset":0,"errors":null}`,
		n, n, 1, base.UnixMicro()))
}

func (s *server) find(t testing.TB, w http.ResponseWriter, r *http.Request) {
	parameter := func(camel, snake string) string {
		if v := r.FormValue("query." + camel); s.camel && v != "" {
			return v
		}
		if s.snake {
			return r.FormValue("query." + snake)
		}
		return ""
	}
	start, end := parameter("startTimeMin", "start_time_min"), parameter("startTimeMax", "start_time_max")
	if start == "" || end == "" {
		fail(w, http.StatusBadRequest, "query.start_time_min and query.start_time_max are required")
		return
	}
	from, err1 := time.Parse(time.RFC3339Nano, start)
	to, err2 := time.Parse(time.RFC3339Nano, end)
	if err1 != nil || err2 != nil {
		fail(w, http.StatusBadRequest, "malformed parameter query.startTimeMin")
		return
	}
	depth := parameter("searchDepth", "num_traces")
	limit, err := strconv.Atoi(depth)
	if err != nil || limit > 10_000 {
		fail(w, http.StatusInternalServerError, "search depth must be greater than 0 and less than max traces")
		return
	}
	order := ""
	if text := r.FormValue("query.attributes"); s.camel && text != "" {
		var attributes map[string]string
		if err := json.Unmarshal([]byte(text), &attributes); err != nil {
			fail(w, http.StatusBadRequest, "malformed parameter query.attributes: "+err.Error())
			return
		}
		order = attributes["order"]
	}
	var found []ptrace.Traces
	for n := byte(1); n <= 3 && len(found) < limit; n++ {
		service := parameter("serviceName", "service_name")
		if (service == "" || service == "shop") && (order == "" || order == strconv.Itoa(int(n))) && !base.Before(from) && base.Before(to) {
			found = append(found, trace(n))
		}
	}
	if len(found) == 0 {
		fail(w, http.StatusNotFound, "No traces found")
		return
	}
	write(w, `{"result":`+otlp(t, found...)+`}`)
}
