package lab_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/lab"
	"tracelab/services"
)

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
	s.dwelling.Store(int64(time.Minute))
	ctx, cancel := context.WithCancel(t.Context())
	var stopped time.Time
	result, err := lab.Run(ctx, lab.Config{Orders: 1, Forms: []services.Form{services.GRPC}, Target: to.url, Jaeger: s.URL, Deadline: time.Minute, Out: t.TempDir(),
		Progress: func(at lab.Progress) {
			if at.Stage == "judging the journeys" {
				time.AfterFunc(100*time.Millisecond, func() { stopped = time.Now(); cancel() })
			}
		}})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err == nil && len(result.Problems) == 0 {
		t.Error("a run that was stopped has no problem")
	}
	if took := time.Since(stopped); took > 4500*time.Millisecond { // a question that nobody cuts off takes 5 s
		t.Errorf("it took %v from when it was stopped", took)
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
