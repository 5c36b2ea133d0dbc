package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/journey/format"
	"tracelab/journey/source/jaeger"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// runJaeger runs against a target whose spans are in a Jaeger, and sends the client's there unless told otherwise.
func runJaeger(t *testing.T, to target, address, spans string, change func(*lab.Config)) *lab.Result {
	t.Helper()
	config := lab.Config{Orders: 3, WarmUp: 1, Seed: 1, Target: to.url, Jaeger: address, OTLP: destination(t, spans), Out: t.TempDir(), Version: "test"}
	change(&config)
	result, err := lab.Run(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, result)
	return result
}

func asIs(*lab.Config) {}

// problemsBesideDrops are the problems of a run but for spans that services elsewhere dropped: an answer of the endpoint that is late counts as
// one, though the spans have come. That none is missing is what these tests count.
func problemsBesideDrops(result *lab.Result) []string {
	return slices.DeleteFunc(slices.Clone(result.Problems), func(problem string) bool { return strings.Contains(problem, "dropped by the services") })
}

// Jaeger has other spans too, among them the client's own and those of the warm-up: whichever way it is asked, the
// journeys are those of a run in process, and each span is there once.
func TestJaegerGivesTheSameStructures(t *testing.T) {
	inProcess := quickly(t, func(c *lab.Config) { c.Orders, c.WarmUp = 3, 1 })
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			s := startJaegerServer(t, d)
			to := startTarget(t, s.otlp, unchanged)
			s.crowd(t, 400, time.Now(), 5*time.Millisecond)
			result := runJaeger(t, to, s.URL+"/", s.otlp, asIs)
			// The warm-up is sent, too, and so is what looks for a rate that a busy machine can keep.
			if least := (3 + result.WarmUp) * 4; len(problemsBesideDrops(result)) > 0 || result.Sent < least || !triedRates(result) && result.Sent > least {
				t.Errorf("%d of the client's spans sent, problems %q", result.Sent, result.Problems)
			}
			fetched := result.Fetched + 3*4 // the client's are here already
			for _, f := range result.Forms {
				fetched -= f.SpanCount
			}
			if fetched != 0 {
				t.Errorf("%d spans fetched: %d more than the services' in the forms", result.Fetched, fetched)
			}
			if diff := cmp.Diff(structures(t, inProcess, ""), structures(t, result, "")); diff != "" {
				t.Errorf("-in process +from Jaeger:\n%s", diff)
			}
			for form, f := range result.Forms {
				if want := inProcess.Forms[form].SpanCount; f.SpanCount != want {
					t.Errorf("%s: %d spans, want %d", form, f.SpanCount, want)
				}
			}
			if result.Shared != 0 {
				t.Errorf("%d shared spans: those of polls and commits are not to be fetched", result.Shared)
			}
		})
	}
}

// With more traces in the period than one answer brings, every span of the run is still found.
func TestJaegerIsAskedInHalves(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[0])
	to := startTarget(t, s.otlp, unchanged)
	s.crowd(t, 2000, time.Now(), time.Millisecond)
	result := runJaeger(t, to, s.URL, s.otlp, asIs)
	if len(result.Problems) > 0 || len(result.Warnings) > 0 && strings.Contains(strings.Join(result.Warnings, " "), "Jaeger") {
		t.Errorf("problems %q, warnings %q", result.Problems, result.Warnings)
	}
	if asked := s.questions.Load(); asked < 2*2*3 { // each in both dialects
		t.Errorf("%d questions: the period was not halved", asked)
	}
}

// TestJaegerIsFollowed: a long run asks Jaeger as it goes, so it does not depend on how many traces Jaeger keeps.
func TestJaegerIsFollowed(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	s.forgets.Store(true) // by what was asked, not by time or number: a busy machine falls behind
	to := startTarget(t, s.otlp, unchanged)
	result := runJaeger(t, to, s.URL, s.otlp, func(c *lab.Config) { c.Forms, c.Orders, c.Rate = []services.Form{services.Kafka}, 60, 10 })
	if f := result.Forms[services.Kafka]; f.Journeys != 60 || len(result.Problems) > 0 {
		t.Errorf("%d of 60 journeys are complete; problems %q", f.Journeys, result.Problems)
	}
	known := len(spansOf(everything(t, s)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == 0 || s.first >= known {
		t.Errorf("it first had forgotten a trace when it knew %d, of %d in the end: it was not asked on the way", s.first, known)
	}
}

// TestJaegerFailsWhenAllIsThere: what a round could not ask for any more is no problem of a run whose journeys are all complete.
func TestJaegerFailsWhenAllIsThere(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[0])
	to := startTarget(t, s.otlp, unchanged)
	s.crowd(t, 600, time.Now().Add(5*time.Second), time.Millisecond) // so that the period is halved, and a later half has none of the run
	s.deaf.Store(true)
	result := runJaeger(t, to, s.URL, s.otlp, asIs)
	if len(result.Problems) > 0 || result.Jaeger == nil {
		t.Errorf("problems %q, links %v", result.Problems, result.Jaeger)
	}
}

func TestJaegerTooCrowded(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[0])
	to := startTarget(t, s.otlp, unchanged)
	s.crowd(t, 600, time.Now(), 0)
	result := runJaeger(t, to, s.URL, s.otlp, asIs)
	if text := strings.Join(result.Warnings, "\n"); !strings.Contains(text, "Jaeger has more than 500 traces that begin within 1ms") {
		t.Errorf("warnings %s", text)
	}
}

func TestJaegerPages(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	to := startTarget(t, s.otlp, unchanged)
	result := runJaeger(t, to, strings.Replace(s.URL, "//", "//user:secret@", 1), s.otlp, asIs)
	pages := result.Jaeger
	if pages == nil || pages.URL != s.URL || len(pages.Medians) != 4 || pages.Comparison == nil {
		t.Fatalf("%+v", pages)
	}
	for form, page := range pages.Medians {
		address := readPage(t, page)
		if median := result.MedianJourney(form).Set().Span(result.MedianJourney(form).Spans()[0]).Trace; address.Traces[0] != median {
			t.Errorf("%s: the page of %v, want that of %v", form, address.Traces[0], median)
		}
	}
	orders := map[string]rundir.Order{}
	for _, o := range readOrders(t, result) {
		orders[o.Trace] = o
	}
	c := pages.Comparison
	both := readPage(t, c.URL)
	a, b := orders[both.Traces[0].String()], orders[both.Traces[1].String()]
	if !both.Comparison || a.Form != "grpc" || b.Form != "kafka" || a.Number != b.Number || a.Number != c.Order || string(c.Base) != a.Form || string(c.Other) != b.Form {
		t.Errorf("%s compares %s %d with %s %d; %+v", c.URL, a.Form, a.Number, b.Form, b.Number, c)
	}
	q := readPage(t, pages.Search).Search
	if q.Service != "client" || q.Attributes[services.KeyRun] != result.Run || q.Limit != 100 {
		t.Errorf("%+v", q)
	}
	for _, o := range orders {
		if o.Intended.Before(q.Start) || o.Intended.After(q.End) {
			t.Errorf("order at %v is not in the search from %v to %v", o.Intended, q.Start, q.End)
		}
	}
	for form, page := range pages.Searches {
		if q := readPage(t, page).Search; q.Attributes[services.KeyForm] != string(form) || q.Attributes[services.KeyRun] != result.Run {
			t.Errorf("%s: a search for %v", form, q.Attributes)
		}
		if strings.Contains(pages.Medians[form], "uiFind") {
			t.Errorf("%s opens detail panes", pages.Medians[form])
		}
	}
	var text strings.Builder
	if err := result.WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{pages.Search, pages.Searches[services.REST], c.URL, pages.Medians[services.Kafka], "critical path ends with the answer", "tracelab compare "} {
		if !strings.Contains(text.String(), link) {
			t.Errorf("the report does not have %s", link)
		}
	}
	if strings.Contains(text.String(), "secret") {
		t.Error("the report tells the password")
	}
}

// TestJaegerForgets: by the time of the report Jaeger has lost the older half of the run. Links lead to what is there, and the report says
// what is gone.
func TestJaegerForgets(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	s.later.Store(12)
	to := startTarget(t, s.otlp, unchanged)
	result := runJaeger(t, to, s.URL, s.otlp, func(c *lab.Config) { c.Orders = 6 })
	there := map[string]bool{}
	for id := range s.kept(everything(t, s)) {
		there[id.String()] = true
	}
	orders := map[string]rundir.Order{}
	for _, o := range readOrders(t, result) {
		orders[o.Trace] = o
	}
	gone := map[services.Form]int{}
	for id, o := range orders {
		if !there[id] {
			gone[services.Form(o.Form)]++
		}
	}
	if len(gone) == 0 {
		t.Fatal("nothing was forgotten: the test shows nothing")
	}
	for form, page := range result.Jaeger.Medians {
		id := readPage(t, page).Traces[0].String()
		if !there[id] || orders[id].Form != string(form) || result.Jaeger.Orders[form] != orders[id].Number {
			t.Errorf("%s: the link leads to order %v, which is there: %v", form, orders[id], there[id])
		}
	}
	var text strings.Builder
	if err := result.WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), " of the 24 orders of the run ") || strings.Contains(text.String(), "every order of the run") {
		t.Error("the link to a search does not say that the page lists a part of the run")
	}
	// Which are gone is found by halves, as if Jaeger forgot orders in the order in which they were placed; spans come nearly so.
	for form, n := range gone {
		got := result.Jaeger.Forgotten[form]
		if got < n-2 || got > n+2 {
			t.Errorf("%s: %d orders are said to be forgotten, want about %d", form, got, n)
		}
		if text := strings.Join(result.Warnings, "\n"); got > 0 && (!strings.Contains(text, fmt.Sprintf("Jaeger has forgotten about %d of the 6 orders of %s", got, form)) || !strings.Contains(text, "JAEGER_MAX_TRACES")) {
			t.Errorf("%s: warnings %s", form, text)
		}
	}
}

// everything is what has come to a Jaeger.
func everything(t *testing.T, s *jaegerServer) ptrace.Traces {
	t.Helper()
	all := ptrace.NewTraces()
	batches, _ := s.collector.From(0)
	for _, batch := range batches {
		traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(batch)
		if err != nil {
			t.Fatal(err)
		}
		traces.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
	}
	return all
}

func readPage(t *testing.T, page string) jaeger.Address {
	t.Helper()
	address, err := jaeger.ParseAddress(page, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if u, err := url.Parse(page); err != nil || u.RawQuery != "" && u.Query() == nil {
		t.Errorf("%s: %v", page, err)
	}
	return address
}

func TestWithoutTheClientsSpansInJaeger(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	to := startTarget(t, s.otlp, unchanged)
	result := runJaeger(t, to, s.URL, "", asIs)
	if !slices.ContainsFunc(result.Warnings, func(w string) bool { return strings.Contains(w, "send them with --otlp") }) || len(result.Problems) > 0 {
		t.Errorf("warnings %q, problems %q", result.Warnings, result.Problems)
	}
	if f := result.Forms[services.REST]; f.Journeys != 3 || f.CallerWait.N != 3 {
		t.Errorf("%d journeys, %d caller waits: the client's spans of this process count", f.Journeys, f.CallerWait.N)
	}
	if q := readPage(t, result.Jaeger.Search).Search; q.Service != services.Gateway {
		t.Errorf("the search is for spans of %s, which are not there", q.Service)
	}
}

// A Jaeger that is not up yet, and spans that come late: the run asks again, not too often.
func TestJaegerIsAskedAgain(t *testing.T) {
	s := startJaegerServer(t, dialects[1])
	s.failing.Store(2)
	release := make(chan struct{})
	to := startTarget(t, s.otlp, func(e sdktrace.SpanExporter) sdktrace.SpanExporter {
		return holdBack{SpanExporter: e, release: release, what: func(span sdktrace.ReadOnlySpan) heldBack {
			if spanOf(span, "1", "orders.Complete") {
				return late
			}
			return sent
		}}
	})
	const silence = 900 * time.Millisecond
	result := runJaeger(t, to, s.URL, s.otlp, func(c *lab.Config) {
		c.Orders, c.Forms, c.Deadline = 2, []services.Form{services.Kafka}, 20*time.Second
		c.Progress = func(at lab.Progress) {
			if at.Stage == "judging the journeys" {
				time.AfterFunc(silence, func() { close(release) })
			}
		}
	})
	if f := result.Forms[services.Kafka]; f.Journeys != 2 || len(result.Problems) > 0 {
		t.Errorf("%d journeys, problems %q", f.Journeys, result.Problems)
	}
	// The pauses grow from 0.2 s to 2 s, so in the deadline's 20 s there are at most 15 rounds.
	if asked := s.questions.Load(); asked < 4 || asked > 16 {
		t.Errorf("%d questions, spans came %v after the last order", asked, silence)
	}
}

// An order that is pending when the deadline passes costs no other order its spans.
func TestJaegerIsAskedAfterTheDeadline(t *testing.T) {
	s := startJaegerServer(t, dialects[1])
	to := startTarget(t, s.otlp, unchanged)
	s.dwelling.Store(int64(100 * time.Millisecond))
	result := runJaeger(t, to, s.URL, s.otlp, func(c *lab.Config) {
		c.Forms, c.Deadline = []services.Form{services.GRPC}, time.Nanosecond
	})
	if strings.Contains(strings.Join(result.Problems, " "), "Jaeger") || !strings.Contains(strings.Join(result.Problems, " "), "incomplete") && result.Forms[services.GRPC].Journeys != 3 {
		t.Errorf("%d journeys, problems %q", result.Forms[services.GRPC].Journeys, result.Problems)
	}
	if s.questions.Load() == 0 {
		t.Error("Jaeger was not asked")
	}
}

// Whatever is wrong with Jaeger is said in words, and the accounts are there all the same.
func TestTroubleWithJaeger(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	to := startTarget(t, s.otlp, unchanged)
	answer := func(status int, contentType, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	seed := uint64(0) // a run is named by its millisecond and its seed
	for name, c := range map[string]struct{ address, words string }{
		"nobody there":  {"http://127.0.0.1:1", "no Jaeger answers there; start it, or look at host and port"},
		"slow":          {silent.URL, "Jaeger did not answer in time"},
		"wrong path":    {s.URL + "/ui", "that is not Jaeger's query API; look at host and port, and at the base path if it is behind a proxy: the answer is an HTML page"},
		"gateway":       {to.url, "that is not Jaeger's query API"},
		"otlp port":     {"http://" + s.otlp, "that is not Jaeger's query API"},
		"http for grpc": {strings.Replace(s.URL, "http", "grpc", 1), "that is not Jaeger's query API"},
		"refused":       {answer(http.StatusUnauthorized, "text/plain", "who are you?"), "Jaeger does not let us in"},
		"damaged":       {answer(http.StatusOK, "application/json", `{"result":{"resourceSpans":[{"scopeSpans"`), "the answer cannot be read"},
		"failed":        {answer(http.StatusInternalServerError, "application/json", `{"error":{"httpCode":500,"message":"no storage"}}`), "Jaeger failed: 500 Internal Server Error: no storage"},
		"none of ours":  {answer(http.StatusNotFound, "application/json", `{"error":{"httpCode":404,"message":"No traces found"}}`), ""},
	} {
		seed++
		own := seed
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := runJaeger(t, to, c.address, "", func(c *lab.Config) {
				c.Seed = own
				c.Orders, c.Forms, c.Deadline = 1, []services.Form{services.GRPC}, 300*time.Millisecond
			})
			if f := result.Forms[services.GRPC]; f.Orders.Completed != 1 || f.Incomplete != 1 || result.Jaeger != nil {
				t.Errorf("%+v", f)
			}
			first := result.Problems[0]
			if c.words == "" {
				if text := strings.Join(result.Warnings, "\n"); !strings.Contains(text, "Jaeger has no span of this run's services: do they send theirs to it") {
					t.Errorf("warnings %s", text)
				}
				return
			}
			if want := "the services' spans could not be fetched from Jaeger: " + c.address + ": " + c.words; !strings.HasPrefix(first, want) {
				t.Errorf("got  %s\nwant %s", first, want)
			}
		})
	}
}

func TestAStoppedRunDoesNotWaitForJaeger(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	to := startTarget(t, s.otlp, unchanged)
	s.dwelling.Store(int64(3 * time.Second))
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	result, err := lab.Run(ctx, lab.Config{Orders: 1, Forms: []services.Form{services.GRPC}, Target: to.url, Jaeger: s.URL, Out: t.TempDir(),
		Progress: func(at lab.Progress) {
			if at.Stage == "judging the journeys" {
				time.AfterFunc(100*time.Millisecond, cancel)
			}
		}})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err == nil && len(result.Problems) == 0 {
		t.Error("a run that was stopped has no problem")
	}
	if took := time.Since(began); took > 2900*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestTwoWaysToTheSpans(t *testing.T) {
	for i, c := range []struct {
		config lab.Config
		words  string
	}{
		{lab.Config{Target: "http://t", Jaeger: "http://j", ReceiveOTLP: "127.0.0.1:0"}, "--receive-otlp and --jaeger are two ways to the same spans"},
		{lab.Config{Target: "http://t"}, "say with --jaeger which Jaeger has them, or with --receive-otlp"},
		{lab.Config{Jaeger: "http://j"}, "name their gateway with --target"},
		{lab.Config{Target: "http://t", Jaeger: "127.0.0.1:16686"}, "--jaeger: address of Jaeger: want a URL"},
		{lab.Config{Target: "http://t", Jaeger: "ftp://j"}, "want http, https or grpc"},
	} {
		c.config.Out = t.TempDir()
		_, err := lab.Run(t.Context(), c.config)
		if _, ok := errors.AsType[*lab.ConfigError](err); !ok || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want %q", strconv.Itoa(i), err, c.words)
		}
	}
}
