package source_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/internal/raced"
	"tracelab/journey/source"
)

// Whatever pdata writes as JSON is read as it was.
func TestReadsWhatPdataWrites(t *testing.T) {
	raced.OneGoroutine(t)
	rapid.Check(t, func(t *rapid.T) {
		traces := anyTraces(t)
		var m ptrace.JSONMarshaler
		text, err := m.MarshalTraces(traces)
		if err != nil {
			t.Fatal(err)
		}
		got, err := source.Read(bytes.NewReader(text), "f")
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if d := cmp.Diff(source.FromTraces(traces, "f:1"), got.Spans, sameValues); d != "" {
			t.Fatalf("(-pdata +read):\n%s\n%s", d, text)
		}
	})
}

func anyTraces(t *rapid.T) ptrace.Traces {
	traces := ptrace.NewTraces()
	for range rapid.IntRange(1, 3).Draw(t, "resources") {
		rs := traces.ResourceSpans().AppendEmpty()
		rs.SetSchemaUrl("https://opentelemetry.io/schemas/1.43.0")
		anyMap(t, rs.Resource().Attributes(), 2)
		rs.Resource().Attributes().PutStr("service.name", rapid.String().Draw(t, "service"))
		for range rapid.IntRange(1, 2).Draw(t, "scopes") {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName(rapid.String().Draw(t, "scope"))
			ss.Scope().SetVersion("1")
			anyMap(t, ss.Scope().Attributes(), 1)
			for range rapid.IntRange(1, 3).Draw(t, "spans") {
				anySpan(t, ss.Spans().AppendEmpty())
			}
		}
	}
	return traces
}

func anySpan(t *rapid.T, s ptrace.Span) {
	id := rapid.SliceOfN(rapid.Byte(), 16, 16)
	s.SetTraceID(pcommon.TraceID(id.Draw(t, "trace")))
	s.SetSpanID(pcommon.SpanID(id.Draw(t, "span")[:8]))
	s.SetParentSpanID(pcommon.SpanID(id.Draw(t, "parent")[:8]))
	s.SetName(rapid.String().Draw(t, "name"))
	s.SetKind(ptrace.SpanKind(rapid.IntRange(0, 5).Draw(t, "kind")))
	s.SetStartTimestamp(pcommon.Timestamp(rapid.Uint64().Draw(t, "start")))
	s.SetEndTimestamp(pcommon.Timestamp(rapid.Uint64().Draw(t, "end")))
	s.SetFlags(rapid.Uint32().Draw(t, "flags"))
	s.SetDroppedAttributesCount(rapid.Uint32().Draw(t, "dropped attributes"))
	s.SetDroppedEventsCount(rapid.Uint32().Draw(t, "dropped events"))
	s.SetDroppedLinksCount(rapid.Uint32().Draw(t, "dropped links"))
	s.TraceState().FromRaw("a=b")
	s.Status().SetCode(ptrace.StatusCode(rapid.IntRange(0, 2).Draw(t, "status")))
	s.Status().SetMessage(rapid.String().Draw(t, "message"))
	anyMap(t, s.Attributes(), 3)
	e := s.Events().AppendEmpty()
	e.SetName("event")
	anyMap(t, e.Attributes(), 1)
	for range rapid.IntRange(0, 2).Draw(t, "links") {
		l := s.Links().AppendEmpty()
		l.SetTraceID(pcommon.TraceID(id.Draw(t, "link trace")))
		l.SetSpanID(pcommon.SpanID(id.Draw(t, "link span")[:8]))
		l.SetFlags(rapid.Uint32().Draw(t, "link flags"))
		l.SetDroppedAttributesCount(rapid.Uint32().Draw(t, "link dropped"))
		anyMap(t, l.Attributes(), 1)
	}
}

func anyMap(t *rapid.T, m pcommon.Map, depth int) {
	for i := range rapid.IntRange(0, 3).Draw(t, "attributes") {
		anyValue(t, m.PutEmpty(fmt.Sprint(rapid.String().Draw(t, "key"), i)), depth)
	}
}

func anyValue(t *rapid.T, v pcommon.Value, depth int) {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds).Draw(t, "value") {
	case 0: // empty
	case 1:
		v.SetStr(rapid.String().Draw(t, "string"))
	case 2:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case 3:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case 4:
		v.SetDouble(rapid.Float64Range(-1e300, 1e300).Draw(t, "double"))
	case 5:
		v.SetEmptyBytes().FromRaw(rapid.SliceOfN(rapid.Byte(), 1, 5).Draw(t, "bytes"))
	case 6:
		anyMap(t, v.SetEmptyMap(), depth-1)
	case 7:
		list := v.SetEmptySlice()
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			anyValue(t, list.AppendEmpty(), depth-1)
		}
	}
}

// Fields may come in any order, be null or unknown, and have the names of the proto files.
func TestFieldsInOtherWords(t *testing.T) {
	want, err := source.Read(strings.NewReader(document(spanA, spanB)), "f")
	if err != nil {
		t.Fatal(err)
	}
	snake := strings.NewReplacer("resourceSpans", "resource_spans", "scopeSpans", "scope_spans", "traceId", "trace_id", "spanId", "span_id", "parentSpanId", "parent_span_id",
		"startTimeUnixNano", "start_time_unix_nano", "endTimeUnixNano", "end_time_unix_nano", "droppedLinksCount", "dropped_links_count", "stringValue", "string_value",
		"intValue", "int_value", "arrayValue", "array_value", "boolValue", "bool_value")
	late := `{"resourceSpans":[{"scopeSpans":[{"spans":[` + spanA + "," + spanB + `],"scope":{"name":"lib"}}],"resource":` +
		strings.SplitN(strings.SplitN(document(), `"resource":`, 2)[1], `,"scopeSpans"`, 2)[0] + `}]}`
	for why, text := range map[string]string{
		"names of the proto files":   snake.Replace(document(spanA, spanB)),
		"resource and scope at last": late,
		"nulls":                      strings.ReplaceAll(document(spanA, spanB), `"kind":2`, `"kind":2,"status":null,"links":null,"attributes":null,"name2":null,"parentSpanId":null,"flags":null`),
		"unknown fields":             strings.ReplaceAll(document(spanA, spanB), `"kind":2`, `"kind":2,"":{"x":[1,-2.5e3,true,false,null,"]}",{}]}`),
		"names before OTLP 0.15":     strings.NewReplacer("scopeSpans", "instrumentationLibrarySpans", `"scope":`, `"instrumentationLibrary":`).Replace(document(spanA, spanB)),
		"escapes":                    strings.Replace(document(spanA, spanB), `"name":"a"`, `"n\u0061me":"\u0061"`, 1),
		"white space":                strings.NewReplacer(":", " : ", ",", " ,\t", "{", "{ ", "]", " ]").Replace(document(spanA, spanB)),
	} {
		got, err := source.Read(strings.NewReader(text), "f")
		if err != nil {
			t.Errorf("%s: %v", why, err)
			continue
		}
		if d := cmp.Diff(want.Spans, got.Spans, sameValues); d != "" {
			t.Errorf("%s (-plain +got):\n%s", why, d)
		}
	}
}

// An error names the field that is wrong.
func TestDecodeErrorsNameTheField(t *testing.T) {
	a := document(spanA)
	for why, c := range map[string][3]string{
		"a time out of range":    {`"1000"`, `"99999999999999999999"`, `field "startTimeUnixNano"`},
		"a time that is a word":  {`"2000"`, `"now"`, `field "endTimeUnixNano"`},
		"an id of wrong length":  {`b7ad6b7169203331`, `b7ad`, `field "spanId"`},
		"an id of other letters": {`b7ad6b7169203331`, `b7ad6b716920333x`, `field "spanId"`},
		"an unknown kind":        {`"kind":2`, `"kind":"SPAN_KIND_ODD"`, `field "kind"`},
		"a name that is a list":  {`"name":"a"`, `"name":[]`, `field "name"`},
		"a comma too many":       {`"kind":2,`, `"kind":2,,`, `want '"'`},
		"a value left out":       {`"kind":2`, `"kind":`, `field "kind"`},
		"an unknown word":        {`"kind":2`, `"odd":nil`, `field "odd"`},
	} {
		text := strings.Replace(a, c[0], c[1], 1)
		r, err := source.Read(strings.NewReader(a+"\n"+text), "f")
		if err != nil {
			t.Errorf("%s: %v", why, err)
			continue
		}
		if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Text, "f:2: ") || !strings.Contains(r.Warnings[0].Text, c[2]) {
			t.Errorf("%s: warnings %v, want one with f:2 and %s", why, r.Warnings, c[2])
		}
	}
}

// Spans share storage, but not so that adding to one changes another.
func TestSpansDoNotShareAttributes(t *testing.T) {
	r, err := source.Read(strings.NewReader(document(spanB, spanB)), "f")
	if err != nil {
		t.Fatal(err)
	}
	_ = append(r.Spans[0].Attributes, journey.Attribute{Key: "new"})
	_ = append(r.Spans[0].Links, journey.Link{})
	if r.Spans[1].Attributes[0].Key != "s" || r.Spans[1].Links[0].Span.IsZero() {
		t.Errorf("the second span has become %+v", r.Spans[1])
	}
}
