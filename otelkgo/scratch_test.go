package otelkgo_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// keepingSampler records everything and keeps the attributes it was given.
type keepingSampler struct {
	mu   sync.Mutex
	kept map[trace.TraceID][][]attribute.KeyValue
}

func (s *keepingSampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[p.TraceID] = append(s.kept[p.TraceID], p.Attributes)
	return sdktrace.AlwaysSample().ShouldSample(p)
}

func (*keepingSampler) Description() string { return "keeping" }

// Spans that are put together in the same memory, at once and one after the
// other, keep what is theirs, with as many attributes as a span can have. So
// does a sampler that keeps what it was given.
func TestSpansKeepTheirAttributes(t *testing.T) {
	const workers, each = 4, 200
	sampler := &keepingSampler{kept: map[trace.TraceID][][]attribute.KeyValue{}}
	spans := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSpanProcessor(spans))
	in, err := otelkgo.New(otelkgo.WithTracerProvider(tp), otelkgo.WithPropagator(propagator),
		otelkgo.WithDestinationTemplate(func(string) string { return "orders.{tenant}" }),
		otelkgo.WithMessageID(func(r *kgo.Record) string { return "id-" + string(r.Key) }))
	check(t, err)
	hooks := in.Hooks()
	cl, err := kgo.NewClient(kgo.WithHooks(hooks...), kgo.ConsumerGroup("shipping"), kgo.ConsumeTopics("orders.a"),
		kgo.SeedBrokers("127.0.0.1:1"), kgo.DialTimeout(time.Millisecond))
	check(t, err)
	defer cl.Close()
	hook := hooks[0].(interface {
		kgo.HookProduceRecordBuffered
		kgo.HookProduceRecordUnbuffered
		kgo.HookFetchRecordBuffered
	})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				n := w*each + i
				r := &kgo.Record{Topic: "orders.a", Key: fmt.Appendf(nil, "%d", n), Context: t.Context()}
				hook.OnProduceRecordBuffered(r)
				r.Partition, r.Offset = int32(w), int64(n)
				hook.OnProduceRecordUnbuffered(r, nil)
				r = &kgo.Record{Topic: r.Topic, Key: r.Key, Headers: r.Headers, Partition: r.Partition, Offset: r.Offset} // as it is fetched elsewhere
				hook.OnFetchRecordBuffered(r)
				_, p := in.StartProcess(t.Context(), r)
				p.End(nil)
			}
		})
	}
	wg.Wait()
	want := map[string]int{"send orders.{tenant}": 13, "process orders.{tenant}": 14}
	offsets := map[string]map[int]bool{}
	for _, s := range spans.Ended() {
		n := attributeInt(s, "messaging.kafka.offset")
		got := fmt.Sprint(attributeMap(s.Attributes()))
		for _, part := range []string{
			fmt.Sprintf("messaging.kafka.message.key:%d ", n), fmt.Sprintf("messaging.message.id:id-%d ", n),
			fmt.Sprintf("messaging.destination.partition.id:%d ", n/each), "messaging.kafka.message.tombstone:true ",
		} {
			if !strings.Contains(got, part) {
				t.Fatalf("%s of offset %d has no %s: %s", s.Name(), n, part, got)
			}
		}
		if len(s.Attributes()) != want[s.Name()] || s.DroppedAttributes() != 0 {
			t.Fatalf("%s has %d attributes, want %d: %s", s.Name(), len(s.Attributes()), want[s.Name()], got)
		}
		if offsets[s.Name()] == nil {
			offsets[s.Name()] = map[int]bool{}
		}
		offsets[s.Name()][n] = true
		if s.SpanKind() != trace.SpanKindConsumer {
			continue
		}
		for _, kept := range sampler.kept[s.SpanContext().TraceID()] {
			for k, v := range attributeMap(kept) {
				if k == "messaging.kafka.message.key" && v != fmt.Sprint(n) {
					t.Fatalf("the sampler was given key %s for offset %d", v, n)
				}
			}
		}
	}
	for name := range want {
		if len(offsets[name]) != workers*each {
			t.Errorf("%s: %d offsets, want %d", name, len(offsets[name]), workers*each)
		}
	}
}

func attributeMap(attrs []attribute.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range attrs {
		m[string(a.Key)] = a.Value.String()
	}
	return m
}
