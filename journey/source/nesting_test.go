package source_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/internal/raced"
	"tracelab/journey/source"
)

// nestedTraces has a span with an attribute of lists or maps in one another.
func nestedTraces(levels int, maps bool) ptrace.Traces {
	traces := ptrace.NewTraces()
	s := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{1})
	s.SetSpanID(pcommon.SpanID{1})
	v := s.Attributes().PutEmpty("nested")
	for range levels {
		if maps {
			v = v.SetEmptyMap().PutEmpty("k")
		} else {
			v = v.SetEmptySlice().AppendEmpty()
		}
	}
	return traces
}

// What may be received as protobuf may be written as JSON and read again, at every depth; and what may not, may not either way.
func TestNestingHasOneLimit(t *testing.T) {
	for _, maps := range []bool{false, true} {
		refused := 0
		for levels := 40; levels < 80; levels++ {
			traces := nestedTraces(levels, maps)
			message, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
			if err != nil {
				t.Fatal(err)
			}
			text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
			if err != nil {
				t.Fatal(err)
			}
			byProtobuf, byJSON := source.CheckProtobuf(message), source.CheckJSON(text)
			_, reading := source.Read(bytes.NewReader(text), "f")
			if byProtobuf == nil && (byJSON != nil || reading != nil) {
				t.Errorf("%d levels (maps: %v) are accepted as protobuf; as JSON %v, read %v", levels, maps, byJSON, reading)
			}
			if byProtobuf != nil {
				refused++
				if !errors.Is(byProtobuf, source.ErrTooDeep) {
					t.Errorf("%d levels (maps: %v) give %v", levels, maps, byProtobuf)
				}
			}
		}
		if refused == 0 || refused == 40 {
			t.Errorf("%d of 40 depths are refused (maps: %v); the limit lies outside", refused, maps)
		}
	}
}

// Millions of levels end in an error, whichever decoder they are meant for, and the rest of the file is read.
func TestDeepInputEndsNothing(t *testing.T) {
	raced.OneGoroutine(t)
	levels := sized(1_600_000, 8)
	lists := deep(levels, 0x12, 0x4a, 0x12, 0x12, 0x0a)
	maps := deepMaps(levels)
	if size := len(lists); size < sized(15_000_000, 10) {
		t.Errorf("the message has %d bytes, want some 15 MB", size)
	}
	for why, message := range map[string][]byte{"lists": lists, "maps": maps} {
		if err := source.CheckProtobuf(message); !errors.Is(err, source.ErrTooDeep) {
			t.Errorf("%s in protobuf give %v", why, err)
		}
		in := slices.Concat(behindVarint(protobuf(t, drawn(t))), behindVarint(message))
		if r, err := source.Read(bytes.NewReader(in), "f"); err != nil || r.Damaged != 1 || len(r.Spans) != len(drawn(t)) {
			t.Errorf("%s in protobuf: %d spans, %d damaged, %v", why, len(r.Spans), r.Damaged, err)
		}
	}
	// Two ways at the full depth, at which a decoder without a guard ends the process; the others so deep that none may pass.
	deepEnough := levels / 16
	full, fullEnd := strings.Repeat(`{"arrayValue":{"values":[`, levels), strings.Repeat(`]}}`, levels)
	list, end := strings.Repeat(`{"arrayValue":{"values":[`, deepEnough), strings.Repeat(`]}}`, deepEnough)
	kvlist, kvend := strings.Repeat(`{"kvlistValue":{"values":[{"key":"k","value":`, levels), strings.Repeat(`}]}}`, levels)
	for why, bad := range map[string]string{
		"lists":                      document(strings.Replace(spanB, `{"boolValue":true}`, full+fullEnd, 1)),
		"maps":                       document(strings.Replace(spanB, `{"boolValue":true}`, kvlist+`{}`+kvend, 1)),
		"lists of the resource":      strings.Replace(document(spanA), `{"stringValue":"h1"}`, list+end, 1),
		"lists in an event":          document(strings.Replace(spanB, `"flags":257`, `"events":[{"attributes":[{"key":"k","value":`+list+end+`}]}]`, 1)),
		"braces in an unknown field": document(strings.Replace(spanB, `"flags":257`, `"odd":`+strings.Repeat(`{"a":`, deepEnough)+"1"+strings.Repeat(`}`, deepEnough), 1)),
		"braces without an end":      strings.Repeat(`{"a":`, deepEnough),
		"brackets":                   `{"resourceSpans":` + strings.Repeat(`[`, deepEnough) + strings.Repeat(`]`, deepEnough) + `}`,
		"nested results":             strings.Repeat(`{"result":`, deepEnough) + document(spanA) + strings.Repeat(`}`, deepEnough),
		"tags of Jaeger":             jaegerDocument(`"tags":[{"key":"a","value":` + strings.Repeat(`[`, deepEnough) + strings.Repeat(`]`, deepEnough) + `}]`),
	} {
		if err := source.CheckJSON([]byte(bad)); !errors.Is(err, source.ErrTooDeep) {
			t.Errorf("%s: CheckJSON gives %v", why, err)
		}
		r, err := source.Read(strings.NewReader(document(spanA)+"\n"+bad+"\n"+document(spanA)), "f")
		if err != nil || r.Damaged == 0 || len(r.Spans) < 2 {
			t.Errorf("%s: %d spans, %d damaged, %v", why, len(r.Spans), r.Damaged, err)
		}
	}
}

// Jaeger's UI nests whole spans in references, to any depth.
func TestNestedReferences(t *testing.T) {
	raced.OneGoroutine(t)
	levels := sized(1_000_000, 8)
	nested := strings.Repeat(`[{"refType":"CHILD_OF","traceID":"af7651916cd43dd8","spanID":"2","span":{"references":`, levels) + `[]` + strings.Repeat(`}}]`, levels)
	r, err := source.Read(strings.NewReader(jaegerDocument(`"references":`+nested)), "f")
	if err != nil || len(r.Spans) != 1 || r.Spans[0].Parent != (journey.SpanID{7: 2}) {
		t.Errorf("%d spans, %v", len(r.Spans), err)
	}
}

// deepMaps is a message with a value that is a map in a map, and so on.
func deepMaps(levels int) []byte {
	b := bytes.Repeat([]byte{0x12, 0x0a, 0x32}, levels) // the value of an entry, the entries of a map, the map of a value
	return deepPath(append(b, 0x12, 0x4a, 0x12, 0x12, 0x0a)...)
}

func ExampleCheckProtobuf() {
	message, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(nestedTraces(1000, false))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(source.CheckProtobuf(message))
	// Output: nested more than 200 levels deep
}
