package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/otlp"
)

// send makes a trace of two spans and sends it to an endpoint.
func send(t *testing.T, address string) {
	t.Helper()
	to, err := otlp.ParseEndpoint(address)
	if err != nil {
		t.Fatal(err)
	}
	exporter, err := otlp.NewTraceExporter(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	tracer := provider.Tracer("test")
	ctx, root := tracer.Start(t.Context(), "GET /cart", trace.WithSpanKind(trace.SpanKindServer))
	_, inner := tracer.Start(ctx, "load")
	inner.End()
	root.End()
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestReceive takes spans over gRPC and over HTTP, and the judge reads the file.
func TestReceive(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mine.jsonl")
	s := start(t, "receive", "--otlp", "127.0.0.1:0", "--out", file)
	found := s.await(t, `taking spans at (127\.0\.0\.1:\d+) \(gRPC\) and (http://127\.0\.0\.1:\d+);`)
	send(t, found[1])
	send(t, found[2])
	if _, err := os.Stat(file); err == nil {
		t.Error("the file has its name before it is whole")
	}
	if status := s.end(t); status != exitDone || !strings.Contains(s.String(), "4 spans in "+file) {
		t.Fatalf("exit status %d: %s", status, s)
	}
	var out, talk bytes.Buffer
	if status := run(t.Context(), []string{"journey", file}, nil, &out, &talk); status != exitDone || !strings.Contains(out.String(), "GET /cart") || !strings.Contains(out.String(), "1 of 2 in ") {
		t.Errorf("exit status %d: %s%s", status, out.String(), talk.String())
	}
}

// TestReceiveTrouble: nobody sends, no place to write, values that make no sense.
func TestReceiveTrouble(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--for", "10ms", "--out", filepath.Join(dir, "a")}, exitNotSo, "no span came"},
		{[]string{"--out", filepath.Join(dir, "nowhere", "a")}, exitNotSo, "no such file or directory"},
		{[]string{"--limit", "0"}, exitUsage, "use positive values"},
		{[]string{"--otlp", "4317", "--out", filepath.Join(dir, "b")}, exitNotSo, "use host:port"},
	} {
		var out, talk bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		args := append([]string{"receive", "--otlp", "127.0.0.1:0"}, c.args...)
		if status := run(ctx, args, nil, &out, &talk); status != c.status || !strings.Contains(talk.String(), c.want) {
			t.Errorf("%v: exit status %d, %s; want %d with %q", c.args, status, talk.String(), c.status, c.want)
		}
		cancel()
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) > 1 { // the file of nobody's spans, empty
		t.Errorf("left behind: %v, %v", left, err)
	}
}
