package tracecontext_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"tracelab/tracecontext"
)

// byteHeaders is a carrier that a propagator reads and writes as bytes. It has
// no key twice.
type byteHeaders struct{ all *headers }

func (h byteHeaders) Get(key string) string { return h.all.Get(key) }
func (h byteHeaders) Set(key, value string) { h.all.Set(key, value) }
func (h byteHeaders) Keys() []string        { return h.all.Keys() }

func (h byteHeaders) GetBytes(key string) []byte {
	for _, x := range *h.all {
		if strings.EqualFold(x.Key, key) {
			return x.Value
		}
	}
	return nil
}

func (h byteHeaders) SetSpace(key string, n int) []byte {
	h.all.Set(key, "")
	value := make([]byte, n)
	(*h.all)[len(*h.all)-1].Value = value
	return value
}

func bytesCarrier(raw [][2]string) propagation.TextMapCarrier {
	h, seen := &headers{}, map[string]bool{}
	doubled := false
	for _, kv := range raw {
		*h = append(*h, kgo.RecordHeader{Key: kv[0], Value: []byte(kv[1])})
		doubled = doubled || seen[strings.ToLower(kv[0])]
		seen[strings.ToLower(kv[0])] = true
	}
	if doubled {
		return h
	}
	return byteHeaders{h}
}

// The bytes of a carrier belong to the application. Writing to them later must
// not change a context.
func TestBytesAreNotKept(t *testing.T) {
	const parent, state, bag = parentOne, "a=1,0b=2", "order=1"
	c := bytesCarrier([][2]string{{"traceparent", parent}, {"tracestate", state}, {"baggage", bag}}).(byteHeaders)
	ctx := tracecontext.New().Extract(t.Context(), c)
	for _, h := range *c.all {
		clear(h.Value)
	}
	out := propagation.MapCarrier{}
	tracecontext.New().Inject(ctx, out)
	if out["traceparent"] != parent || out["tracestate"] != state || out["baggage"] != bag {
		t.Errorf("the context became %v", out)
	}
}

// A program without an SDK must pass the context on.
func TestRemoteContextPassesANoopTracer(t *testing.T) {
	in := propagation.MapCarrier{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": "order=1"}
	for name, p := range map[string]propagation.TextMapPropagator{"both": tracecontext.New(), "trace context": tracecontext.TraceContext{}} {
		ctx := p.Extract(t.Context(), in)
		for of, provider := range map[string]trace.TracerProvider{
			"noop": noop.NewTracerProvider(), "the span": trace.SpanFromContext(ctx).TracerProvider(),
		} {
			got, span := provider.Tracer("").Start(ctx, "")
			span.SetName("no-op")
			span.End()
			if !trace.SpanContextFromContext(got).Equal(trace.SpanContextFromContext(ctx)) || span.IsRecording() {
				t.Errorf("%s: the tracer of %s does not pass the context on", name, of)
			}
			if _, ok := p.(*tracecontext.Propagator); ok && baggage.FromContext(got).Len() != 1 {
				t.Errorf("%s: the tracer of %s loses the baggage", name, of)
			}
		}
	}
}
