package kafka_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tracelab/otelkgo"
	"tracelab/tracecontext"
)

// The Kafka carrier and the strict propagator, which know nothing of each other, as the services join them.

type w3cCase struct {
	Name, Rule, Traceparent, Tracestate, Refused string
	Headers                                      [][2]string
}

func w3cCases(t *testing.T) []w3cCase {
	t.Helper()
	b, err := os.ReadFile("../../../../tracecontext/testdata/tracecontext.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []w3cCase
	if err := json.Unmarshal(b, &cases); err != nil || len(cases) < 100 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	return cases
}

func recordWith(headers [][2]string) *kgo.Record {
	r := &kgo.Record{}
	for _, kv := range headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: kv[0], Value: []byte(kv[1])})
	}
	return r
}

func TestW3COverKafkaHeaders(t *testing.T) {
	for _, c := range w3cCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			p, out := tracecontext.New(), &kgo.Record{}
			p.Inject(p.Extract(t.Context(), otelkgo.RecordCarrier{Record: recordWith(c.Headers)}), otelkgo.RecordCarrier{Record: out})
			got := otelkgo.RecordCarrier{Record: out}
			if got.Get("traceparent") != c.Traceparent || got.Get("tracestate") != c.Tracestate {
				t.Errorf("%q and %q, want %q and %q: %s", got.Get("traceparent"), got.Get("tracestate"), c.Traceparent, c.Tracestate, c.Rule)
			}
			if n := p.Refusals().Counts(); c.Refused != "" && n[c.Refused] != 1 || c.Refused == "" && len(n) != 0 {
				t.Errorf("refused %v, want %q", n, c.Refused)
			}
		})
	}
}

// A tracestate that trace.TraceState cannot hold goes on from a process span of
// its trace, and not from one that starts a trace of its own.
func TestLevel2TracestatePassesAProcess(t *testing.T) {
	const state = "foo=1,0bar=2"
	p := tracecontext.New()
	for relation, want := range map[otelkgo.Relation]string{otelkgo.RelationBoth: state, otelkgo.RelationParent: state, otelkgo.RelationLink: ""} {
		in, err := otelkgo.New(otelkgo.WithTracerProvider(sdktrace.NewTracerProvider()), otelkgo.WithPropagator(p), otelkgo.WithRelation(relation))
		check(t, err)
		ctx, process := in.StartProcess(t.Context(), recordWith([][2]string{
			{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {"tracestate", state},
		}))
		out := &kgo.Record{}
		p.Inject(ctx, otelkgo.RecordCarrier{Record: out})
		process.End(nil)
		if got := (otelkgo.RecordCarrier{Record: out}).Get("tracestate"); got != want {
			t.Errorf("relation %s: tracestate %q goes on, want %q", relation, got, want)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A broken or binary context is refused, and the record is handled in a new
// trace. Of a doubled traceparent the last counts, as everywhere in Kafka.
func TestForeignHeaders(t *testing.T) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	p := tracecontext.New()
	spans := tracetest.NewSpanRecorder()
	in, err := otelkgo.New(otelkgo.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))), otelkgo.WithPropagator(p))
	check(t, err)
	last := func() sdktrace.ReadOnlySpan { return spans.Ended()[len(spans.Ended())-1] }
	for name, headers := range map[string][]kgo.RecordHeader{
		"binary": {{Key: "traceparent", Value: []byte{0, 1, 2, 0xff}}},
		"null":   {{Key: "traceparent", Value: nil}},
		"empty":  {{Key: "traceparent", Value: []byte{}}},
		"huge":   {{Key: "traceparent", Value: make([]byte, 1<<20)}},
	} {
		_, process := in.StartProcess(t.Context(), &kgo.Record{Topic: "orders", Headers: headers})
		process.End(nil)
		if s := last(); s.Parent().IsValid() || len(s.Links()) != 0 {
			t.Errorf("%s: the process span has a parent or a link", name)
		}
	}
	if n := p.Refusals().Counts(); n["traceparent_doubled"] != 0 || n["traceparent_version"] != 2 {
		t.Errorf("refused %v, want 2 that are no traceparent", n)
	}
	for name, headers := range map[string][]kgo.RecordHeader{
		"a name in mixed case": {{Key: "TraceParent", Value: []byte(good)}},
		"a doubled header":     {{Key: "traceparent", Value: []byte("00-11111111111111111111111111111111-1111111111111111-01")}, {Key: "traceparent", Value: []byte(good)}},
		"10,000 headers":       manyHeaders(10_000),
	} {
		_, process := in.StartProcess(t.Context(), &kgo.Record{Topic: "orders", Headers: headers})
		process.End(nil)
		if s := last(); s.Parent().SpanID().String() != "b7ad6b7169203331" {
			t.Errorf("%s: the parent is %s, want the last traceparent's", name, s.Parent().SpanID())
		}
	}
}

func manyHeaders(n int) []kgo.RecordHeader {
	headers := make([]kgo.RecordHeader, n)
	for i := range headers {
		headers[i] = kgo.RecordHeader{Key: "traceparent", Value: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")}
	}
	return headers
}
