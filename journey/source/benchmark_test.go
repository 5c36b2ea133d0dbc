package source_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/source"
)

// lines is an input of OTLP/JSON lines as collectors write them: ten documents of 200 spans, each with ten attributes and
// a link.
func lines() []byte {
	var b bytes.Buffer
	for d := range 10 {
		spans := make([]string, 200)
		for i := range spans {
			attributes := make([]string, 10)
			for a := range attributes {
				attributes[a] = fmt.Sprintf(`{"key":"messaging.attribute.%d","value":{"stringValue":"value-%d"}}`, a, i)
			}
			spans[i] = fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x","parentSpanId":"%016x","name":"process order.placed","kind":5,`+
				`"startTimeUnixNano":"1750000000%09d","endTimeUnixNano":"1750000001%09d","attributes":[%s],`+
				`"links":[{"traceId":"%032x","spanId":"%016x"}],"status":{},"flags":257}`,
				d+1, i+2, i+1, i, i, strings.Join(attributes, ","), d+1, i+1)
		}
		b.WriteString(document(spans...) + "\n")
	}
	return b.Bytes()
}

// The same bytes, read into spans, and decoded by pdata alone.
func BenchmarkRead(b *testing.B) {
	in := lines()
	b.Run("source", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		for b.Loop() {
			if r, err := source.Read(bytes.NewReader(in), "bench"); err != nil || len(r.Spans) != 2000 {
				b.Fatalf("%d spans, %v", len(r.Spans), err)
			}
		}
	})
	b.Run("pdata", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		var u ptrace.JSONUnmarshaler
		for b.Loop() {
			n := 0
			for line := range bytes.Lines(in) {
				traces, err := u.UnmarshalTraces(line)
				if err != nil {
					b.Fatal(err)
				}
				n += traces.SpanCount()
			}
			if n != 2000 {
				b.Fatalf("%d spans", n)
			}
		}
	})
}

// The flow of the tests many times over, in each format.
func BenchmarkFormats(b *testing.B) {
	var spans []journey.Span
	for n := range 300 {
		for _, s := range drawn(b) {
			s.Trace[0], s.Trace[1] = byte(n>>8), byte(n)
			spans = append(spans, s)
		}
	}
	for name, in := range map[string][]byte{"OTLP JSON": otlpJSON(b, spans), "protobuf": protobuf(b, spans), "Jaeger JSON": jaegerJSON(b, spans, false)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if r, err := source.Read(bytes.NewReader(in), "bench"); err != nil || len(r.Spans) != len(spans) {
					b.Fatalf("%d spans, %v", len(r.Spans), err)
				}
			}
			b.ReportMetric(float64(len(spans))*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}
