package jaeger_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

func TestHTTPTrace(t *testing.T) {
	for name, v := range map[string]version{"newest": newest, "2.19": v219, "2.13": v213} {
		h := open(t, newServer(t, v).URL+"/")
		r, err := h.Trace(t.Context(), journey.TraceID{15: 2})
		if err != nil || len(r.Spans) != 2 || r.Spans[1].Parent != r.Spans[0].ID || r.Spans[0].Start != base.UnixNano() || r.Spans[0].Flags != 0x101 || len(r.Warnings) != 0 {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
		_, err = h.Trace(t.Context(), journey.TraceID{15: 9})
		want(t, err, jaeger.NotStored, "Jaeger does not have it", "No traces found")
		if !errors.Is(err, source.ErrNotStored) {
			t.Errorf("%s: %v is not source.ErrNotStored", name, err)
		}
	}
}

// A Jaeger without api/v3 still has traces by their ids.
func TestHTTPTraceOfAnOldJaeger(t *testing.T) {
	s := newServer(t, v1)
	h := open(t, s.URL)
	r, err := h.Trace(t.Context(), journey.TraceID{15: 2})
	if err != nil || len(r.Spans) != 1 || r.Spans[0].Start != base.Truncate(time.Microsecond).UnixNano() || len(r.Warnings) != 1 || r.Warnings[0].Rule != journey.RuleFormatLoss {
		t.Errorf("got %+v, %v", r, err)
	}
	_, err = h.Trace(t.Context(), journey.TraceID{15: 9})
	want(t, err, jaeger.NotStored, "trace not found")
	_, err = h.Search(t.Context(), source.Query{Start: base, End: base.Add(time.Second)})
	want(t, err, jaeger.OldAPI, "only the API that was removed")
	for _, path := range s.asked {
		if path == "/api/traces" || path == "/api/services" || path == "/api/operations" {
			t.Errorf("asked %s, which Jaeger has removed", path)
		}
	}
}

func TestHTTPSearch(t *testing.T) {
	hour := source.Query{Start: base.Add(-time.Hour), End: base.Add(time.Hour)}
	with := func(change func(q *source.Query)) source.Query {
		q := hour
		change(&q)
		return q
	}
	order := func(value string) func(q *source.Query) {
		return func(q *source.Query) { q.Attributes = map[string]string{"order": value, "run": "r1"} }
	}
	for name, v := range map[string]version{"newest": newest, "2.19": v219, "2.13": v213} {
		h := open(t, strings.Replace(newServer(t, v).URL, "//", "//user:secret@", 1))
		for _, c := range []struct {
			why   string
			query source.Query
			spans int
			warn  string
		}{
			{"all", hour, 6, ""},
			{"another time", with(func(q *source.Query) { q.Start = base.Add(1) }), 0, ""},
			{"a time to the nanosecond", with(func(q *source.Query) { q.Start, q.End = base, base.Add(1) }), 6, ""},
			{"a service", with(func(q *source.Query) { q.Service = "shop" }), 6, ""},
			{"a service that is not", with(func(q *source.Query) { q.Service = "shed" }), 0, ""},
			{"an operation, which the server passes over", with(func(q *source.Query) { q.Operation = "op 3" }), 0, ""},
			{"an operation of the first span", with(func(q *source.Query) { q.Operation = "op 1" }), 6, ""},
			{"a length, which the server passes over", with(func(q *source.Query) { q.MinDuration = 3 * time.Second }), 0, ""},
			{"a length that one span has", with(func(q *source.Query) { q.MinDuration, q.MaxDuration = 1500*time.Millisecond, 2*time.Second }), 6, ""},
			{"attributes of span and resource", with(order("2")), 2, ""},
			{"an attribute that is not", with(order("9")), 0, ""},
			{"up to the limit", with(func(q *source.Query) { q.Limit = 2 }), 4, "the search stopped at its limit of 2 traces"},
		} {
			r, err := h.Search(t.Context(), c.query)
			if err != nil || len(r.Spans) != c.spans {
				t.Errorf("%s, %s: got %d spans, %v; want %d", name, c.why, len(r.Spans), err, c.spans)
			}
			if (c.warn != "") != (len(r.Warnings) == 1) || c.warn != "" && (r.Warnings[0].Rule != journey.RuleSearchCut || !strings.Contains(r.Warnings[0].Text, c.warn) || strings.Contains(r.Warnings[0].Text, "secret")) {
				t.Errorf("%s, %s: warnings %v, want %q", name, c.why, r.Warnings, c.warn)
			}
		}
		// Before 2.19 the attribute is looked for among as many traces as the limit allows.
		r, err := h.Search(t.Context(), with(func(q *source.Query) { order("2")(q); q.Limit = 2 }))
		if blind := v == v213; err != nil || len(r.Spans) != 2 || blind != (len(r.Warnings) == 1) || blind && !strings.Contains(r.Warnings[0].Text, "does not search by attribute: 1 of those") {
			t.Errorf("%s: got %d spans with warnings %v, %v", name, len(r.Spans), r.Warnings, err)
		}
		_, err = h.Search(t.Context(), with(func(q *source.Query) { q.Limit = 20_000 }))
		want(t, err, jaeger.Failed, "search depth must be")
		_, err = h.Search(t.Context(), source.Query{})
		want(t, err, jaeger.BadQuery, "needs a time to start")
	}
}

// want fails for an error that is not of a kind, or does not say a thing.
func want(t *testing.T, err error, kind jaeger.Kind, words ...string) {
	t.Helper()
	var found *jaeger.Error
	if !errors.As(err, &found) || found.Kind != kind {
		t.Errorf("got error %v, want one of kind %v", err, kind)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q tells a secret, or has several lines", err)
	}
}

func TestHTTPFailures(t *testing.T) {
	answer := func(code int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(code)
			write(w, body)
		}
	}
	whole := `{"result":` + otlp(t, trace(1)) + `}`
	other := strings.ReplaceAll(whole, "00000000000000000000000000000001", "0000000000000000000000000000000f")
	for _, c := range []struct {
		why     string
		handler http.HandlerFunc
		kind    jaeger.Kind
		words   string
	}{
		{"a page", answer(200, "text/html", "<html>sign in</html>"), jaeger.NotJaeger, "an HTML page"},
		{"a page that says it is JSON", answer(200, "application/json", "\n<!doctype html>"), jaeger.NotJaeger, "an HTML page"},
		{"a page for what is not found", answer(404, "text/html", "<html>404</html>"), jaeger.NotJaeger, "404 Not Found: an HTML page"},
		{"another server", answer(404, "text/plain", "404 page not found"), jaeger.NotJaeger, "base path"},
		{"another method", answer(405, "text/plain", "no"), jaeger.NotJaeger, "405"},
		{"not stored", answer(404, "text/plain", `{"error":{"httpCode":404,"message":"No traces found"}}`), jaeger.NotStored, "No traces found"},
		{"not stored, and 200", answer(200, "application/json", `{"result":{"resourceSpans":[]}}`), jaeger.NotStored, "no spans"},
		{"not stored, 200, and nothing more", answer(200, "application/json", ""), jaeger.NotStored, "no spans"},
		{"not stored, as before api/v3", answer(200, "application/json", `{"data":[],"total":0,"errors":null}`), jaeger.NotStored, "no spans"},
		{"an empty object", answer(200, "application/json", "{}"), jaeger.NotJaeger, "nothing of a Jaeger's: \"{}\""},
		{"lists", answer(200, "application/json", "[[[]]]"), jaeger.NotJaeger, "nothing of a Jaeger's"},
		{"another trace", answer(200, "application/json", other), jaeger.NotStored, "no spans of that trace"},
		{"no credentials", answer(401, "text/plain", "who are you"), jaeger.Refused, "credentials"},
		{"not for you", answer(403, "text/html", "<html>"), jaeger.Refused, "403"},
		{"a proxy without Jaeger", answer(502, "text/html", "<html>"), jaeger.Down, "502"},
		{"a proxy with a slow Jaeger", answer(504, "text/html", "<html>"), jaeger.Slow, "504"},
		{"a bad question", answer(400, "text/plain", `{"error":{"httpCode":400,"message":"malformed parameter trace_id"}}`), jaeger.BadQuery, "malformed parameter"},
		{"storage that fails", answer(500, "text/plain", `{"error":{"httpCode":500,"message":"cassandra is down"}}`), jaeger.Failed, "cassandra is down"},
		{"a crash", answer(500, "text/plain", "panic"), jaeger.Failed, `"panic"`},
		{"half an answer", answer(200, "application/json", whole[:len(whole)-20]), jaeger.Damaged, "truncated"},
		{"an answer that is too long", answer(200, "application/json", whole+strings.Repeat(" ", 100_000)), jaeger.Damaged, "longer than"},
		{"an answer without an end", func(w http.ResponseWriter, r *http.Request) {
			write(w, strings.TrimSuffix(whole, "]}]}]}}")+",")
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(`{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001"},`)); err != nil {
					return
				}
			}
		}, jaeger.Damaged, "the answer is longer than"},
		{"something else", answer(200, "application/json", `{"rows":[]}`), jaeger.Damaged, "rows"},
		{"a connection that breaks", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			write(w, whole)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, jaeger.Damaged, "unexpected EOF"},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, jaeger.Down, "no Jaeger answers there"},
	} {
		s := httptest.NewServer(c.handler)
		h := open(t, strings.Replace(s.URL, "//", "//user:secret@", 1), jaeger.WithLimit(50_000))
		t.Run(c.why, func(t *testing.T) {
			_, err := h.Trace(t.Context(), journey.TraceID{15: 1})
			want(t, err, c.kind, c.words, s.URL[len("http://"):])
		})
		s.Close()
	}
}

func TestHTTPUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = open(t, "http://"+address).Trace(t.Context(), journey.TraceID{15: 1})
	want(t, err, jaeger.Down, "no Jaeger answers there", "connection refused")
	_, err = open(t, "http://nowhere.invalid").Trace(t.Context(), journey.TraceID{15: 1})
	want(t, err, jaeger.Down, "nowhere.invalid")
	_, err = open(t, strings.Replace(newServer(t, newest).URL, "http:", "https:", 1)).Trace(t.Context(), journey.TraceID{15: 1})
	want(t, err, jaeger.NotJaeger, "HTTP response to HTTPS client")
	if _, err = jaeger.Open("http://a b"); err == nil || !strings.Contains(err.Error(), "invalid character") {
		t.Errorf("a host with a blank gives %v", err)
	}
}

func TestHTTPSlow(t *testing.T) {
	gone := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "2") { // begins, and does not go on
			write(w, `{"result":`)
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-gone:
		}
	}))
	defer s.Close()
	defer close(gone)
	for id := byte(1); id <= 2; id++ {
		_, err := open(t, s.URL, jaeger.WithTimeout(20*time.Millisecond)).Trace(t.Context(), journey.TraceID{15: id})
		want(t, err, jaeger.Slow, "did not answer in time")
		_, err = open(t, s.URL, jaeger.WithHTTPClient(&http.Client{Timeout: 20 * time.Millisecond})).Trace(t.Context(), journey.TraceID{15: id})
		want(t, err, jaeger.Slow)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err = open(t, s.URL).Trace(ctx, journey.TraceID{15: id})
		want(t, err, jaeger.Slow)
		cancel()
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err = open(t, s.URL).Trace(ctx, journey.TraceID{15: id}); !errors.Is(err, context.Canceled) || errors.As(err, new(*jaeger.Error)) {
			t.Errorf("cancelled by the caller: %v", err)
		}
	}
}

// The whole way: a trace of a Jaeger, what it refers to, and a search.
func TestCompleteFromJaeger(t *testing.T) {
	for name, v := range map[string]version{"newest": newest, "2.13": v213} {
		h := open(t, newServer(t, v).URL)
		first, err := h.Trace(t.Context(), journey.TraceID{15: 1})
		if err != nil {
			t.Fatal(err)
		}
		spans := slices.Clip(first.Spans)
		spans[0].Links = []journey.Link{{Ref: journey.Ref{Trace: journey.TraceID{15: 2}, Span: journey.SpanID{7: 1}}}, {Ref: journey.Ref{Trace: journey.TraceID{15: 9}, Span: journey.SpanID{7: 1}}}}
		got, err := source.Complete(t.Context(), spans, h, source.WithKeys("order"))
		if err != nil || len(got.Spans) != 4 || len(got.Missing) != 1 || got.Missing[0].Absence != journey.AbsenceNotStored {
			t.Errorf("%s: got %d spans, missing %v, %v", name, len(got.Spans), got.Missing, err)
		}
	}
}
