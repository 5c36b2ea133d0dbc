package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/otlp"
	"tracelab/lab"
	"tracelab/services"
)

// refusing takes no batch with a span of shipping's step, and counts the spans of orders in those batches.
type refusing struct {
	sdktrace.SpanExporter
	dropped *atomic.Int64
}

// ExportSpans refuses or passes on.
func (r refusing) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if !slices.ContainsFunc(spans, func(s sdktrace.ReadOnlySpan) bool { return s.Name() == "shipping.Dispatch" }) {
		return r.SpanExporter.ExportSpans(ctx, spans)
	}
	for _, s := range spans {
		for _, a := range s.Attributes() {
			if a.Key == services.KeyRun {
				r.dropped.Add(1)
			}
		}
	}
	return errors.New("it is away")
}

// TestSpansThatServicesElsewhereDropAreCounted: the run's sum is what its services could not send, in seven processes' queues.
func TestSpansThatServicesElsewhereDropAreCounted(t *testing.T) {
	t.Parallel() // most of it is waiting
	var dropped atomic.Int64
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, func(e sdktrace.SpanExporter) sdktrace.SpanExporter { return refusing{e, &dropped} })
	result, err := lab.Run(t.Context(), lab.Config{
		Orders: 4, Seed: 1, Deadline: time.Second, Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for form, f := range result.Forms {
		if f.Dropped == 0 {
			t.Errorf("%s: no span was dropped", form)
		}
		sum += f.Dropped
	}
	if sum > dropped.Load() { // a machine under load may drop some after the run has asked
		t.Errorf("the run says that %d spans were dropped, and only %d were", sum, dropped.Load())
	}
	want := fmt.Sprintf("%d spans were dropped by the services", sum)
	if !slices.ContainsFunc(result.Problems, func(p string) bool { return strings.Contains(p, want) }) {
		t.Errorf("problems %q, want %q", result.Problems, want)
	}
}

// partly takes every span, and says of each batch that it left one out.
type partly struct {
	sdktrace.SpanExporter
	leftOut *atomic.Int64
}

// ExportSpans passes on.
func (p partly) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := p.SpanExporter.ExportSpans(ctx, spans); err != nil {
		return err
	}
	p.leftOut.Add(1)
	return &otlp.PartialError{Rejected: 1, Err: errors.New("one of them")}
}

// TestSpansThatAnEndpointLeavesOutAreCounted: it does not say which, so they are of no form.
func TestSpansThatAnEndpointLeavesOutAreCounted(t *testing.T) {
	t.Parallel() // most of it is waiting
	var leftOut atomic.Int64
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, func(e sdktrace.SpanExporter) sdktrace.SpanExporter { return partly{e, &leftOut} })
	result, err := lab.Run(t.Context(), lab.Config{Orders: 2, Seed: 1, Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(result.Problems, func(p string) bool { return strings.Contains(p, "dropped by the services besides") }) {
		t.Errorf("an endpoint left %d spans out; problems %q", leftOut.Load(), result.Problems)
	}
}

// TestServicesThatDoNotTellTheirDropsAreAProblem: they are of another version, or too busy.
func TestServicesThatDoNotTellTheirDropsAreAProblem(t *testing.T) {
	t.Parallel() // most of it is waiting
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"another version": {http.NotFound, "answered 404"},
		"no answer":       {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			receiver := receiverAddress(t)
			to, err := url.Parse(startTarget(t, receiver, unchanged).url)
			if err != nil {
				t.Fatal(err)
			}
			gateway := http.NewServeMux()
			gateway.HandleFunc("GET /runs/{run}/spans", c.answer)
			gateway.Handle("/", httputil.NewSingleHostReverseProxy(to))
			server := httptest.NewServer(gateway)
			defer server.Close()
			result, err := lab.Run(t.Context(), lab.Config{Orders: 1, Seed: 1, Target: server.URL, ReceiveOTLP: receiver, Out: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(result.Problems, func(p string) bool {
				return strings.Contains(p, "do not say how many spans they dropped") && strings.Contains(p, c.says)
			}) {
				t.Errorf("problems %q", result.Problems)
			}
		})
	}
}
