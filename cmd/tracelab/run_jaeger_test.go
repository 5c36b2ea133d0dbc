package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/otlp"
	"tracelab/internal/testkit"
	"tracelab/services"
	"tracelab/services/flows"
)

// throughJaeger drives services whose spans can be had from a Jaeger alone, and then from one that is not there.
func throughJaeger(t *testing.T) {
	t.Helper()
	collector := testkit.NewSpanStore()
	receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: "127.0.0.1:0", Keep: collector.Add, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := receiver.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	server := httptest.NewServer(answersWith(t, collector))
	defer server.Close()
	otlp, _ := receiver.Addresses()
	s := start(t, append([]string{"serve", "all", "--otlp", otlp}, anywhere(flows.Order().Services()...)...)...)
	s.await(t, `(?m)^ready: `)
	result, status := do(t, "--target", s.url(t, "gateway"), "--jaeger", server.URL, "--otlp", otlp)
	if status != exitDone || result.Forms[services.GRPC].Journeys != 1 || result.Jaeger == nil || !strings.HasPrefix(result.Jaeger.Search, server.URL+"/search?") {
		t.Errorf("exit status %d, problems %q, pages %+v", status, result.Problems, result.Jaeger)
	}
	result, status = do(t, "--target", s.url(t, "gateway"), "--jaeger", "http://127.0.0.1:1", "--deadline", "100ms")
	if status != exitNotSo || result.Forms[services.GRPC].Orders.Completed != 1 || !strings.Contains(result.Problems[0], "http://127.0.0.1:1: no Jaeger answers there") {
		t.Errorf("exit status %d, problems %q", status, result.Problems)
	}
	if status := s.end(t); status != exitDone {
		t.Errorf("serve: exit status %d: %s", status, s)
	}
}

// answersWith gives all spans of a collector as the answer to every search.
func answersWith(t *testing.T, collector *testkit.SpanStore) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		all := ptrace.NewTraces()
		batches, _ := collector.From(0)
		for _, batch := range batches {
			traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(batch)
			if err != nil {
				t.Error(err)
			}
			traces.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
		}
		text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(all)
		if err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprintf(w, `{"result":%s}`, text)
	}
}

func TestRunNeedsOneWayToTheSpans(t *testing.T) {
	for _, c := range []struct{ args, words string }{
		{"--target http://t", "say with --jaeger"},
		{"--target http://t --jaeger http://j --receive-otlp 127.0.0.1:0", "leave one of them out"},
		{"--jaeger http://j", "name their gateway with --target"},
		{"--target http://t --jaeger localhost:16686", "want a URL, such as"},
	} {
		var out, talk bytes.Buffer
		status := run(t.Context(), append([]string{"run", "--out", t.TempDir()}, strings.Fields(c.args)...), nil, &out, &talk)
		if status != exitUsage || !strings.Contains(talk.String(), c.words) || out.Len() > 0 {
			t.Errorf("%s: exit status %d: %s%s", c.args, status, talk.String(), out.String())
		}
	}
}

// TRACELAB_JAEGER says what --jaeger says.
func TestJaegerFromTheEnvironment(t *testing.T) {
	t.Setenv("TRACELAB_JAEGER", "http://j")
	var out, talk bytes.Buffer
	status := run(t.Context(), []string{"run", "--target", "http://t", "--receive-otlp", "127.0.0.1:0", "--out", t.TempDir()}, nil, &out, &talk)
	if status != exitUsage || !strings.Contains(talk.String(), "two ways") {
		t.Errorf("exit status %d: %s", status, talk.String())
	}
}
