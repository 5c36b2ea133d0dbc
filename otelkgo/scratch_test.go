package otelkgo_test

import (
	"fmt"
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
		otelkgo.WithMessageID(func(r *kgo.Record) string { return "id-" + string(r.Key) }),
		otelkgo.WithConversationID(func(r *kgo.Record) string { return "order-" + string(r.Key) }))
	check(t, err)
	hooks := in.Hooks()
	cl, err := kgo.NewClient(kgo.WithHooks(hooks...), kgo.ConsumerGroup("shipping"), kgo.ConsumeTopics("orders.a"),
		kgo.SeedBrokers("127.0.0.1:1"), kgo.DialTimeout(time.Millisecond))
	check(t, err)
	defer cl.Close()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				sendAndProcess(t, in, hooks[0], w, w*each+i)
			}
		})
	}
	wg.Wait()
	want := map[string]int{"send orders.{tenant}": 14, "process orders.{tenant}": 15}
	offsets := map[string]map[int]bool{}
	for _, s := range spans.Ended() {
		n := attributeInt(s, "messaging.kafka.offset")
		checkOwnAttributes(t, s, n/each, n)
		if len(s.Attributes()) != want[s.Name()] || s.DroppedAttributes() != 0 {
			t.Fatalf("%s has %d attributes, want %d: %v", s.Name(), len(s.Attributes()), want[s.Name()], attributeMap(s.Attributes()))
		}
		if offsets[s.Name()] == nil {
			offsets[s.Name()] = map[int]bool{}
		}
		offsets[s.Name()][n] = true
		if s.SpanKind() == trace.SpanKindConsumer {
			sampler.checkKept(t, s.SpanContext().TraceID(), n)
		}
	}
	for name := range want {
		if len(offsets[name]) != workers*each {
			t.Errorf("%s: %d offsets, want %d", name, len(offsets[name]), workers*each)
		}
	}
}

// sendAndProcess takes one record through the hooks of a client and a process
// span. Its key, ids and offset are n.
func sendAndProcess(t *testing.T, in *otelkgo.Instrumentation, client kgo.Hook, partition, n int) {
	hook := client.(interface {
		kgo.HookProduceRecordBuffered
		kgo.HookProduceRecordUnbuffered
		kgo.HookFetchRecordBuffered
	})
	r := &kgo.Record{Topic: "orders.a", Key: fmt.Appendf(nil, "%d", n), Context: t.Context()}
	hook.OnProduceRecordBuffered(r)
	r.Partition, r.Offset = int32(partition), int64(n)
	hook.OnProduceRecordUnbuffered(r, nil)
	r = &kgo.Record{Topic: r.Topic, Key: r.Key, Headers: r.Headers, Partition: r.Partition, Offset: r.Offset} // as it is fetched elsewhere
	hook.OnFetchRecordBuffered(r)
	_, p := in.StartProcess(t.Context(), r)
	p.End(nil)
}

// checkOwnAttributes checks what a span says of record n alone.
func checkOwnAttributes(t *testing.T, s sdktrace.ReadOnlySpan, partition, n int) {
	t.Helper()
	got := attributeMap(s.Attributes())
	for key, want := range map[string]string{
		"messaging.kafka.message.key":        fmt.Sprint(n),
		"messaging.message.id":               fmt.Sprint("id-", n),
		"messaging.message.conversation_id":  fmt.Sprint("order-", n),
		"messaging.destination.partition.id": fmt.Sprint(partition),
		"messaging.kafka.message.tombstone":  "true",
	} {
		if got[key] != want {
			t.Fatalf("%s of offset %d has %s=%q, want %q", s.Name(), n, key, got[key], want)
		}
	}
}

// checkKept checks that the sampler still has the attributes of record n.
func (s *keepingSampler) checkKept(t *testing.T, id trace.TraceID, n int) {
	t.Helper()
	for _, kept := range s.kept[id] {
		for k, v := range attributeMap(kept) {
			if k == "messaging.kafka.message.key" && v != fmt.Sprint(n) {
				t.Fatalf("the sampler was given key %s for offset %d", v, n)
			}
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
