//go:build stack

package collector_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/otlp"
	"tracelab/services"
)

// senderServices are the services that a sender is.
var senderServices = []string{"gateway", "orders", "shipping"}

// sender makes spans the way that the services do, with their providers and their queue, and knows each of them.
type sender struct {
	queue   *telemetry.Queue
	tracers map[string]trace.Tracer

	mu      sync.Mutex
	ended   map[string]string // span id and its trace
	dropped map[string]bool   // span ids
	by      map[string]int    // service and its spans
}

// OnStart, OnEnd, Shutdown and ForceFlush make it a span processor.
func (*sender) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

func (s *sender) OnEnd(span sdktrace.ReadOnlySpan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[span.SpanContext().SpanID().String()] = span.SpanContext().TraceID().String()
	for _, a := range span.Resource().Attributes() {
		if a.Key == "service.name" {
			s.by[a.Value.AsString()]++
		}
	}
}

func (*sender) Shutdown(context.Context) error   { return nil }
func (*sender) ForceFlush(context.Context) error { return nil }

func newSender(t testing.TB, to string, config telemetry.QueueConfig) *sender {
	t.Helper()
	exporter, err := otlp.NewTraceExporter(t.Context(), endpoint(t, to))
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{tracers: map[string]trace.Tracer{}, ended: map[string]string{}, dropped: map[string]bool{}, by: map[string]int{}}
	config.OnDrop = func(span sdktrace.ReadOnlySpan) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dropped[span.SpanContext().SpanID().String()] = true
	}
	s.queue = telemetry.NewQueue(exporter, config)
	t.Cleanup(func() { _ = s.queue.Shutdown(context.Background()) })
	telemetry := telemetry.Config{Version: "test", Host: "lab", Instance: rand.Text(), Processors: []sdktrace.SpanProcessor{s.queue, s},
		Propagator: services.Propagator(slog.New(slog.DiscardHandler)), BaggageKeys: services.BaggageKeys()}
	for _, name := range senderServices {
		provider, err := telemetry.New(name)
		if err != nil {
			t.Fatal(err)
		}
		s.tracers[name] = provider.Tracer
	}
	return s
}

// spec is a span of a journey.
type spec struct {
	service, name string
	start, end    time.Duration // from the journey's start
	failed        bool
	attributes    []attribute.KeyValue
}

// send makes one trace of the spans; all are children of the first, or of parent when that is valid. It returns the first.
func (s *sender) send(parent trace.SpanContext, began time.Time, first spec, others ...spec) trace.SpanContext {
	root := s.one(trace.ContextWithRemoteSpanContext(context.Background(), parent), began, first)
	for _, other := range others {
		s.one(trace.ContextWithSpanContext(context.Background(), root), began, other)
	}
	return root
}

func (s *sender) one(ctx context.Context, began time.Time, p spec) trace.SpanContext {
	_, span := s.tracers[p.service].Start(ctx, p.name, trace.WithTimestamp(began.Add(p.start)), trace.WithAttributes(p.attributes...))
	if p.failed {
		span.SetStatus(codes.Error, "failed")
	}
	span.End(trace.WithTimestamp(began.Add(p.end)))
	return span.SpanContext()
}

// journeys sends n traces of four spans.
func (s *sender) journeys(n int) {
	for range n {
		s.send(trace.SpanContext{}, time.Now(),
			spec{service: "gateway", name: "POST /orders", end: 40 * time.Millisecond},
			spec{service: "orders", name: "orders.Accept", start: time.Millisecond, end: 5 * time.Millisecond},
			spec{service: "shipping", name: "process payment.captured", start: 6 * time.Millisecond, end: 30 * time.Millisecond},
			spec{service: "shipping", name: "shipping.Dispatch", start: 7 * time.Millisecond, end: 29 * time.Millisecond})
	}
}

// finish shuts the queue down and holds its equality.
func (s *sender) finish(t testing.TB) telemetry.Counts {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.queue.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	c := s.queue.Counts()
	if c.Started != c.Exported+c.Dropped || c.Started != int64(len(s.ended)) || c.Dropped != int64(len(s.dropped)) {
		t.Errorf("%+v, %d spans ended, %d were told as dropped: the sums do not hold", c, len(s.ended), len(s.dropped))
	}
	return c
}

// compare says which of the spans that were exported are not stored, which stored ones nobody has sent, and how many are there more than once.
func (s *sender) compare(found []stored) (missing, strange, duplicates int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := map[string]int{}
	for _, span := range found {
		times[span.id]++
		if s.ended[span.id] != span.trace {
			strange++
		}
	}
	for id := range s.ended {
		if times[id] == 0 && !s.dropped[id] {
			missing++
		}
		duplicates += max(0, times[id]-1)
	}
	return missing, strange, duplicates
}

// awaitArrival waits until Jaeger has every span that was exported, and returns how many it has more than once.
func (s *sender) awaitArrival(t testing.TB, j *jaeger) (duplicates int) {
	t.Helper()
	await(t, "spans in Jaeger", func() error {
		missing, strange, more := s.compare(j.spans(t, senderServices))
		if strange > 0 {
			t.Fatalf("%d spans in Jaeger that nobody has sent", strange)
		}
		if missing > 0 {
			return fmt.Errorf("%d of %d spans are missing", missing, len(s.ended))
		}
		duplicates = more
		return nil
	})
	return duplicates
}

// endpoint is an OTLP address that the test knows to be right.
func endpoint(t testing.TB, address string) otlp.Endpoint {
	t.Helper()
	e, err := otlp.ParseEndpoint(address)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
