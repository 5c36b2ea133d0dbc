package lab_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/otlp"
	"tracelab/internal/testkit"
)

// dialect is how a version of Jaeger speaks api/v3 over HTTP.
type dialect struct {
	name       string
	names      string // the parameters: start, end, depth, attributes
	attributes bool   // it searches by attribute
}

var dialects = []dialect{
	{name: "2.13", names: "query.start_time_min query.start_time_max query.num_traces -"},
	{name: "2.19", names: "query.startTimeMin query.startTimeMax query.searchDepth query.attributes", attributes: true},
}

// jaegerServer answers searches as Jaeger's memory storage does, from spans that come to a receiver. The real one is
// asked in the tests with the tag stack.
type jaegerServer struct {
	*httptest.Server
	dialect
	otlp      string // where its receiver listens
	collector *testkit.SpanStore
	questions atomic.Int64
	dwelling  atomic.Int64 // of a question, in nanoseconds
	failing   atomic.Int64 // so many answers are errors
	deaf      atomic.Bool  // answers about periods that are yet to come are errors
	memory    atomic.Int64 // it keeps the newest so many traces; 0: all
	later     atomic.Int64 // so many it keeps by the time it is asked for single traces; 0: all
	forgets   atomic.Bool  // it forgets a trace that whoever asks has had whole, until another span of it comes
	mu        sync.Mutex
	batches   int // of the collector that are in all
	all       []keptSpan
	from      time.Time               // of the last search
	given     map[pcommon.TraceID]int // how many spans of each trace its answer had
	had       map[pcommon.TraceID]int // those that have come where they were asked for
	first     int                     // so many traces had come when it had first forgotten one
}

// keptSpan is a span that has come.
type keptSpan struct {
	ptrace.Span
	trace pcommon.TraceID
	at    time.Time // when it started
	text  string    // in JSON, with its resource
}

func startJaegerServer(t *testing.T, d dialect) *jaegerServer {
	t.Helper()
	s := &jaegerServer{dialect: d, collector: testkit.NewSpanStore(), otlp: receiverAddress(t), had: map[pcommon.TraceID]int{}}
	receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: s.otlp, Keep: s.collector.Add, Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := receiver.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v3/traces", func(w http.ResponseWriter, r *http.Request) { s.find(t, w, r) })
	mux.HandleFunc("GET /api/v3/traces/{id}", func(w http.ResponseWriter, r *http.Request) { s.trace(t, w, r.PathValue("id")) })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, "<!doctype html><title>Jaeger UI</title>")
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func refuse(w http.ResponseWriter, code int, message string) {
	http.Error(w, fmt.Sprintf(`{"error":{"httpCode":%d,"message":%q}}`, code, message), code)
}

func (s *jaegerServer) find(t *testing.T, w http.ResponseWriter, r *http.Request) {
	s.questions.Add(1)
	select {
	case <-time.After(time.Duration(s.dwelling.Load())):
	case <-r.Context().Done(): // who asked has gone
		return
	}
	if s.failing.Add(-1) >= 0 {
		refuse(w, http.StatusServiceUnavailable, "not yet")
		return
	}
	names := strings.Fields(s.names)
	from, err1 := time.Parse(time.RFC3339Nano, r.FormValue(names[0]))
	to, err2 := time.Parse(time.RFC3339Nano, r.FormValue(names[1]))
	if err1 != nil || err2 != nil {
		refuse(w, http.StatusBadRequest, "query.start_time_min and query.start_time_max are required")
		return
	}
	if s.deaf.Load() && from.After(time.Now()) {
		refuse(w, http.StatusServiceUnavailable, "too busy")
		return
	}
	depth, err := strconv.Atoi(r.FormValue(names[2]))
	if err != nil || depth <= 0 {
		refuse(w, http.StatusInternalServerError, "search depth must be greater than 0 and less than max traces")
		return
	}
	wanted := map[string]string{}
	if s.attributes {
		if err := json.Unmarshal([]byte(cmp.Or(r.FormValue(names[3]), "{}")), &wanted); err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	found := s.search(t, from, to, depth, wanted)
	s.gave(from, found)
	answer(w, found)
}

// answer writes spans as Jaeger does.
func answer(w http.ResponseWriter, spans []keptSpan) {
	if len(spans) == 0 {
		refuse(w, http.StatusNotFound, "No traces found")
		return
	}
	texts := make([]string, len(spans))
	for i, span := range spans {
		texts[i] = span.text
	}
	_, _ = fmt.Fprintf(w, `{"result":{"resourceSpans":[%s]}}`, strings.Join(texts, ","))
}

// trace answers with one trace, unless it has been forgotten.
func (s *jaegerServer) trace(t *testing.T, w http.ResponseWriter, id string) {
	t.Helper()
	if n := s.later.Load(); n > 0 {
		s.memory.Store(n)
	}
	all := s.everything(t)
	kept := s.kept(all)
	answer(w, slices.DeleteFunc(slices.Clone(all), func(span keptSpan) bool { return span.trace.String() != id || !kept[span.trace] }))
}

// search returns whole traces that have a span with the attributes in the period, as many as the depth allows.
func (s *jaegerServer) search(t *testing.T, from, to time.Time, depth int, wanted map[string]string) []keptSpan {
	t.Helper()
	all := s.everything(t)
	kept := s.kept(all)
	hits := map[pcommon.TraceID]bool{}
	for _, span := range all {
		if !kept[span.trace] || span.at.Before(from) || span.at.After(to) || !hits[span.trace] && len(hits) >= depth {
			continue
		}
		has := true
		for key, value := range wanted {
			has = has && attributeOf(span.Span, key) == value
		}
		if has {
			hits[span.trace] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(span keptSpan) bool { return !hits[span.trace] })
}

// everything is what has come, in its order. Each span is decoded and written as JSON once, however often it is asked for.
func (s *jaegerServer) everything(t *testing.T) []keptSpan {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	batches, _ := s.collector.From(s.batches)
	s.batches += len(batches)
	for _, batch := range batches {
		traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(batch)
		if err != nil {
			t.Error(err)
		}
		for _, resource := range traces.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					s.all = append(s.all, keptSpan{span, span.TraceID(), span.StartTimestamp().AsTime(), jsonOf(t, resource, span)})
				}
			}
		}
	}
	return s.all
}

// jsonOf writes one span and its resource as an element of resourceSpans.
func jsonOf(t *testing.T, resource ptrace.ResourceSpans, span ptrace.Span) string {
	t.Helper()
	traces := ptrace.NewTraces()
	one := traces.ResourceSpans().AppendEmpty()
	resource.Resource().CopyTo(one.Resource())
	span.CopyTo(one.ScopeSpans().AppendEmpty().Spans().AppendEmpty())
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(text), `{"resourceSpans":[`), `]}`)
}

// kept are the traces that it has not forgotten: the newest, by the arrival of their first spans.
func (s *jaegerServer) kept(all []keptSpan) map[pcommon.TraceID]bool {
	kept := map[pcommon.TraceID]bool{}
	var order []pcommon.TraceID
	for _, span := range all {
		if !kept[span.trace] {
			kept[span.trace] = true
			order = append(order, span.trace)
		}
	}
	if n := int(s.memory.Load()); n > 0 && len(order) > n {
		for _, id := range order[:len(order)-n] {
			delete(kept, id)
		}
	}
	if s.forgets.Load() {
		s.forget(all, kept)
	}
	return kept
}

// forget takes out what whoever asks has had whole.
func (s *jaegerServer) forget(all []keptSpan, kept map[pcommon.TraceID]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := len(kept)
	for id, spans := range spansOf(all) {
		if s.had[id] == spans {
			delete(kept, id)
		}
	}
	if s.first == 0 && len(kept) < known {
		s.first = known
	}
}

// gave notes what an answer has. That it came is known when the next question is about a later time: one that did not is asked again.
func (s *jaegerServer) gave(from time.Time, found []keptSpan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from.After(s.from) {
		maps.Copy(s.had, s.given)
	}
	s.from, s.given = from, spansOf(found)
}

// forgot is how many traces had come when it first had forgotten one; 0: it has forgotten none.
func (s *jaegerServer) forgot() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// spansOf counts the spans of each trace.
func spansOf(all []keptSpan) map[pcommon.TraceID]int {
	n := map[pcommon.TraceID]int{}
	for _, span := range all {
		n[span.trace]++
	}
	return n
}

// crowd adds traces of somebody else, one every step from a time on.
func (s *jaegerServer) crowd(t *testing.T, n int, from time.Time, step time.Duration) {
	t.Helper()
	all := ptrace.NewTraces()
	resource := all.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "somebody-else")
	spans := resource.ScopeSpans().AppendEmpty().Spans()
	for i := range n {
		span := spans.AppendEmpty()
		span.SetTraceID(pcommon.TraceID{0: 0xff, 14: byte(i >> 8), 15: byte(i)})
		span.SetSpanID(pcommon.SpanID{0: 0xff, 6: byte(i >> 8), 7: byte(i)})
		at := from.Add(time.Duration(i) * step)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Microsecond)))
	}
	batch, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(all)
	if err != nil {
		t.Fatal(err)
	}
	s.collector.Add(batch)
}
