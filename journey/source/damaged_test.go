package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/internal/raced"
)

const (
	idA = "000000000000000000000000000000aa"
	idB = "000000000000000000000000000000bb"
)

// otlpLine is an OTLP document of one span.
func otlpLine(trace, more string) string {
	return `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"` + trace + `","spanId":"0000000000000001","name":"a","startTimeUnixNano":"1","endTimeUnixNano":"2"` + more + `}]}]}]}`
}

// TestDamagedTraces has input of which a part is damaged: the reader tells of which traces.
func TestDamagedTraces(t *testing.T) {
	whole := otlpLine(idB, "")
	long := strings.Repeat(" ", 300)
	for _, c := range []struct {
		why, input string
		want       []string
	}{
		{"nothing is damaged", otlpLine(idA, "") + "\n" + whole, nil},
		{"nor in an object over many lines", strings.ReplaceAll(otlpLine(idA, ""), ",", ",\n") + "\n" + whole, nil},
		{"a line is cut", otlpLine(idA, "")[:120] + "\n" + whole, []string{idA}},
		{"the last line is cut", whole + "\n" + otlpLine(idA, "")[:120], []string{idA}},
		{"a line has lost its beginning", otlpLine(idA, "")[30:] + "\n" + whole, []string{idA}},
		{"two spans of a document are damaged, one behind its id", `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"` + idA + `","spanId":"xyz"},{"name":7,"traceId":"` + idA + `"}]}]}]}` + "\n" + whole, []string{idA}},
		{"what a damaged span links to lost an effect", otlpLine(idA, `,"links":[{"traceId":"`+idB+`","spanId":"0000000000000002"}],"kind":[]`) + "\n" + whole, []string{idA, idB}},
		{"a resource is damaged, and nobody knows whose its spans are", `{"resourceSpans":[{"resource":7,"scopeSpans":[{"spans":[{"traceId":"` + idA + `","spanId":"0000000000000001"}]}]}]}` + "\n" + whole, []string{idA}},
		{"an id in base64", otlpLine("AAAAAAAAAAAAAAAAAAAAqg==", `,"kind":[]`) + "\n" + whole, []string{idA}},
		{"a span of Jaeger's", `{"data":[{"traceID":"aa","spans":[{"traceID":"aa","spanID":"1","operationName":"a","startTime":1,"duration":1,"processID":"p"},{"traceID":"aa","spanID":"zz"}],"processes":{"p":{"serviceName":"s"}}}]}`, []string{idA}},
		{"a span of Jaeger's without an id", `{"data":[{"traceID":"aa","spans":[{"traceID":"aa","spanID":"1","operationName":"a","startTime":1,"duration":1,"processID":"p"},{"operationName":"a"}],"processes":{"p":{"serviceName":"s"}}}]}`, []string{idA}},
		{"a line of Zipkin's", `[{"traceId":"bb","id":"1","name":"a","timestamp":1,"duration":1},` + "\n" + `{"traceId":"aa","id":"1","timestamp":"x"}]`, []string{idA}},
		{"in a document longer than what is held", `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"` + idB + `","spanId":"0000000000000001"},` + long + `{"traceId":"` + idA + `","spanId":"xyz"},{"traceId":"` + idB + `","spanId":"0000000000000002"}` + long + `]}]}]}`, []string{idA}},
	} {
		t.Run(c.why, func(t *testing.T) {
			for _, from := range []int{longFrom, 200} {
				result, err := Read(strings.NewReader(c.input), "test", func(o *readOptions) { o.longFrom = from })
				if err != nil {
					t.Fatal(err)
				}
				if got := hexIDs(result.DamagedTraces); !slices.Equal(got, c.want) {
					t.Errorf("of traces %q something is damaged, want %q; an object is long from %d bytes: %v", got, c.want, from, result.Warnings)
				}
			}
		})
	}
}

// TestDamagedTracesTakeLinearTime has a damaged span with links to 100,000 traces.
func TestDamagedTracesTakeLinearTime(t *testing.T) {
	raced.OneGoroutine(t)
	var links strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&links, `{"traceId":"%032x","spanId":"0000000000000002"},`, i+1)
	}
	began := time.Now()
	result, err := Read(strings.NewReader(otlpLine(idA, `,"links":[`+strings.TrimSuffix(links.String(), ",")+`],"kind":[]`)+"\n"+otlpLine(idB, "")), "test")
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 20*time.Second || len(result.DamagedTraces) < maxDamagedTraces-1 { // the first trace is among the linked ones
		t.Errorf("%d traces in %v", len(result.DamagedTraces), took)
	}
}

func hexIDs(ids []journey.TraceID) []string {
	var list []string
	for _, id := range ids {
		list = append(list, id.String())
	}
	return list
}

func TestDamagedTracesOfProtobuf(t *testing.T) {
	message := func(ids ...byte) []byte {
		traces := ptrace.NewTraces()
		for _, id := range ids {
			span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
			span.SetTraceID([16]byte{15: id})
			span.SetSpanID([8]byte{7: id})
			span.Attributes().PutStr("key", "value")
		}
		text, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	broken := message(0xaa)
	broken[slices.Index(broken, 'k')-1] = 0x7f // the key is longer than the attribute
	for _, c := range []struct {
		why   string
		input []byte
	}{
		{"the last part is cut", slices.Concat(message(0xbb), message(0xaa)[:len(message(0xaa))-2])},
		{"a span is damaged", slices.Concat(message(0xbb), broken)},
	} {
		result, err := Read(strings.NewReader(string(c.input)), "test")
		if err != nil {
			t.Fatal(c.why, err)
		}
		if got := hexIDs(result.DamagedTraces); !slices.Equal(got, []string{idA}) || len(result.Spans) != 1 {
			t.Errorf("%s: of traces %q something is damaged, and there are %d spans", c.why, got, len(result.Spans))
		}
	}
}

// TestTailMarks has what a collector's tail sampler leaves: an attribute of the scope.
func TestTailMarks(t *testing.T) {
	text := strings.Replace(otlpLine(idA, ""), `"spans"`, `"scope":{"name":"x","attributes":[{"key":"other","value":{"stringValue":"y"}},{"key":"tailsampling.policy","value":{"stringValue":"slow"}}]},"spans"`, 1)
	traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	message, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	for _, input := range []string{text, string(message)} {
		result, err := Read(strings.NewReader(input), "test")
		if err != nil {
			t.Fatal(err)
		}
		_, marked := result.Spans[0].Attr("tailsampling.policy")
		if reason, refused := journey.NewSet(result.Spans).Sampling().NoInterval(); !marked || !refused || len(result.Spans[0].Attributes) != 1 {
			t.Errorf("%+v: %q, %v", result.Spans[0], reason, refused)
		}
	}
}
