package source_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

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

// oneLine is the same documents as one, on one line.
func oneLine(lines []byte) []byte {
	one := bytes.ReplaceAll(bytes.TrimSpace(lines), []byte("]}\n{\"resourceSpans\":["), []byte(","))
	return append(one, '\n')
}

// The same spans, 250 MB of them, as documents of 200 spans on a line each, as one document on one line, and as one document
// over many lines; beside each pdata's bare decode of the same bytes.
func BenchmarkShapes(b *testing.B) {
	const times = 100
	many := bytes.Repeat(lines(), times)
	one := oneLine(many)
	pretty := bytes.ReplaceAll(one, []byte(`,"`), []byte(",\n  \""))
	for _, shape := range []struct {
		name string
		in   []byte
	}{{"lines", many}, {"one line", one}, {"over many lines", pretty}} {
		b.Run(shape.name+"/source", func(b *testing.B) {
			b.SetBytes(int64(len(shape.in)))
			for b.Loop() {
				peak := watchHeap()
				r, err := source.Read(bytes.NewReader(shape.in), "bench")
				if err != nil || len(r.Spans) != 2000*times {
					b.Fatalf("%d spans, %v", len(r.Spans), err)
				}
				b.ReportMetric(float64(peak())/float64(len(r.Spans)), "peak-B/span")
				runtime.KeepAlive(r)
			}
		})
		b.Run(shape.name+"/pdata", func(b *testing.B) {
			b.SetBytes(int64(len(shape.in)))
			for b.Loop() {
				if n := decodeOnly(b, shape.in, shape.name == "lines"); n != 2000*times {
					b.Fatalf("%d spans", n)
				}
			}
		})
	}
}

func decodeOnly(b *testing.B, in []byte, byLine bool) (spans int) {
	b.Helper()
	var u ptrace.JSONUnmarshaler
	for len(in) > 0 {
		document := in
		if byLine {
			document = in[:bytes.IndexByte(in, '\n')+1]
		}
		traces, err := u.UnmarshalTraces(document)
		if err != nil {
			b.Fatal(err)
		}
		spans, in = spans+traces.SpanCount(), in[len(document):]
	}
	return spans
}

// watchHeap returns a function that returns by how much the heap has grown at the most.
func watchHeap() func() uint64 {
	before, done, result := heap(), make(chan struct{}), make(chan uint64)
	go func() {
		most := before
		for {
			select {
			case <-done:
				result <- most - before
				return
			case <-time.After(2 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
	}()
	return func() uint64 { close(done); return <-result }
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

// Messages as they arrive from a topic, one at a time, and what pdata's bare decode of the same bytes takes.
func BenchmarkMessages(b *testing.B) {
	var spans []journey.Span
	for n := range 30 {
		for _, s := range drawn(b) {
			s.Trace[0] = byte(n)
			spans = append(spans, s)
		}
	}
	for name, in := range map[string][]byte{"JSON": otlpJSON(b, spans), "protobuf": protobuf(b, spans)} {
		rate := func(b *testing.B) {
			b.ReportMetric(float64(len(spans))*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		}
		b.Run(name+"/MessageReader", func(b *testing.B) {
			b.ReportAllocs()
			reader := source.NewMessageReader(nil)
			for b.Loop() {
				if r := reader.Read(in, func(*journey.Span) {}); r.Spans != len(spans) {
					b.Fatalf("%+v", r)
				}
			}
			rate(b)
		})
		b.Run(name+"/pdata", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				decode := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces
				if name == "JSON" {
					decode = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces
				}
				if _, err := decode(in); err != nil {
					b.Fatal(err)
				}
			}
			rate(b)
		})
	}
}
