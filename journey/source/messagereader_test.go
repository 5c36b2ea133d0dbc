package source_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey"
	"tracelab/journey/internal/raced"
	"tracelab/journey/source"
)

// readMessage returns copies of the spans of one message.
func readMessage(r *source.MessageReader, message []byte) ([]journey.Span, source.Report) {
	var spans []journey.Span
	report := r.Read(message, func(s *journey.Span) {
		c := *s
		c.Attributes, c.Links = slices.Clone(s.Attributes), slices.Clone(s.Links)
		for i := range c.Links {
			c.Links[i].Attributes = slices.Clone(c.Links[i].Attributes)
		}
		spans = append(spans, c)
	})
	return spans, report
}

// sameAsRead compares spans but for where they were read.
var sameAsRead = cmp.Options{sameValues, cmpopts.IgnoreFields(journey.Span{}, "Source")}

// everyField is a span with all that a span has, and values of every kind.
func everyField(t testing.TB) []byte {
	t.Helper()
	return protobufOf(t, `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}},{"key":"host.id","value":{"stringValue":"h"}},
		{"key":"process.command_args","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"7"}]}}}]},
		"scopeSpans":[{"scope":{"name":"lib","attributes":[{"key":"tailsampling.policy","value":{"stringValue":"slow"}},{"key":"other","value":{"intValue":"1"}}]},
		"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","parentSpanId":"1112131415161718","name":"n","kind":4,"flags":769,"traceState":"ot=th:8",
		"startTimeUnixNano":"1750000000000000000","endTimeUnixNano":"1750000001000000000","status":{"code":2,"message":"no"},
		"droppedAttributesCount":1,"droppedEventsCount":2,"droppedLinksCount":3,"events":[{"name":"e","timeUnixNano":"5"}],
		"attributes":[{"key":"s","value":{"stringValue":"`+strings.Repeat("long ", 30)+`"}},{"key":"b","value":{"boolValue":true}},{"key":"i","value":{"intValue":"-7"}},
		{"key":"d","value":{"doubleValue":1.5}},{"key":"y","value":{"bytesValue":"AAEC"}},{"key":"l","value":{"arrayValue":{"values":[{"stringValue":"v"},{"boolValue":false}]}}},
		{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"1"}}]}}},{"key":"e","value":{}},{"key":"@jaeger@warnings","value":{"arrayValue":{"values":[{"stringValue":"w"}]}}}],
		"links":[{"traceId":"0102030405060708090a0b0c0d0e0f11","spanId":"2102030405060708","flags":1,"droppedAttributesCount":4,"attributes":[{"key":"a","value":{"stringValue":"1"}}]},
		{"traceId":"0102030405060708090a0b0c0d0e0f12","spanId":"2102030405060709"}]}]}]}]}`)
}

// onlyInFiles tells the formats of files from those of single messages: a broker's client packs and frames them.
func onlyInFiles(format string) bool {
	return strings.Contains(format, "gzip") || strings.Contains(format, "zstd") || strings.Contains(format, "varints") || strings.Contains(format, "collector's file")
}

// protobufOf writes an OTLP/JSON document as protobuf, and jsonOf back.
func protobufOf(t testing.TB, document string) []byte {
	t.Helper()
	all, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	message, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(all)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func jsonOf(t testing.TB, message []byte) []byte {
	t.Helper()
	all, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(message)
	if err != nil {
		t.Fatal(err)
	}
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A message reads as the same spans as a file with its bytes, whichever format it has.
func TestMessagesReadAsFilesDo(t *testing.T) {
	all := formats(t)
	all["every field"] = everyField(t)
	all["every field, JSON"] = jsonOf(t, everyField(t))
	reader := source.NewMessageReader(nil)
	for name, in := range all {
		if onlyInFiles(name) {
			continue
		}
		want, err := source.Read(bytes.NewReader(in), "f")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time with the memory of the first
			got, report := readMessage(reader, in)
			if d := cmp.Diff(want.Spans, got, sameAsRead); d != "" || report.Spans != len(got) || report.Damaged != want.Passed {
				t.Errorf("%s: %+v, -file +message:\n%s", name, report, d)
			}
		}
	}
}

// Only wanted attributes are kept, and of resources all.
func TestMessageReaderKeepsWhatIsWanted(t *testing.T) {
	message := everyField(t)
	for name, in := range map[string][]byte{"protobuf": message, "JSON": jsonOf(t, message), "JSON, the value first": bytes.ReplaceAll(jsonOf(t, message),
		[]byte(`{"key":"i","value":{"intValue":"-7"}}`), []byte(`{"value":{"intValue":"-7"},"key":"i"}`))} {
		got, report := readMessage(source.NewMessageReader(func(key string) bool { return key == "i" || key == "a" }), in)
		if len(got) != 1 || report.Damaged != 0 {
			t.Fatalf("%s: %d spans, %+v", name, len(got), report)
		}
		want := []journey.Attribute{{Key: "i", Value: journey.IntValue(-7)}, {Key: "tailsampling.policy", Value: journey.StringValue("slow")}}
		if d := cmp.Diff(want, got[0].Attributes, sameValues); d != "" {
			t.Errorf("%s: attributes (-want +got):\n%s", name, d)
		}
		if len(got[0].Links) != 2 || len(got[0].Links[0].Attributes) != 1 || len(got[0].Resource.Attributes) != 3 {
			t.Errorf("%s: links %+v, resource %+v", name, got[0].Links, got[0].Resource)
		}
	}
}

// ofTen is a message of ten spans of which the sixth is another one.
func ofTen(sixth []byte) []byte {
	var spans []byte
	for i := range 10 {
		s := protoSpan(byte(i + 1))
		if i == 5 {
			s = sixth
		}
		spans = append(spans, field(2, s)...)
	}
	return field(1, slices.Concat(field(1, field(1, slices.Concat(field(1, []byte("service.name")), field(2, field(1, []byte("a")))))), field(2, spans)))
}

// protoSpan is a span with ids and times.
func protoSpan(id byte) []byte {
	b := slices.Concat(field(1, bytes.Repeat([]byte{id}, 16)), field(2, bytes.Repeat([]byte{id}, 8)), field(5, []byte("n")))
	for _, number := range []protowire.Number{7, 8} {
		b = protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), 1750000000000000000)
	}
	return b
}

func field(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

// One bad span among ten costs no other, and its reason says what is wrong.
func TestOneBadSpanOfAMessage(t *testing.T) {
	raced.OneGoroutine(t)
	good := protoSpan(99)
	without := func(from, to int) []byte { return slices.Concat(good[:from], good[to:]) }
	for _, c := range []struct {
		why, want string
		span      []byte
	}{
		{"a short trace id", `field "trace_id" has 3 bytes, want 16`, slices.Concat(good, field(1, []byte{1, 2, 3}))},
		{"a long span id", `field "span_id" has 9 bytes, want 8`, slices.Concat(good, field(2, make([]byte, 9)))},
		{"a short parent id", `field "parent_span_id" has 7 bytes, want 8`, slices.Concat(good, field(4, make([]byte, 7)))},
		{"no trace id", "it has no trace id", without(0, 18)},
		{"an empty trace id", "it has no trace id", slices.Concat(good, field(1, nil))},
		{"zeros as span id", "it has no span id", slices.Concat(good, field(2, make([]byte, 8)))},
		{"no start", "it has no start time", without(31, 40)},
		{"no end", "it has no end time", without(40, 49)},
		{"text as a time", `field "start_time_unix_nano": encoded with wire type 2, want 1`, slices.Concat(good, field(7, []byte("now")))},
		{"a link with half an id", `field "links": field "span_id" has 4 bytes, want 8`, slices.Concat(good, field(13, field(2, make([]byte, 4))))},
		{"a span that is cut", "truncated", good[:len(good)-3]},
		{"a string that is cut", "truncated", slices.Concat(good, []byte{0x2a, 200, 1, 'x'})},
		{"lists in lists", "nested more than 200 levels deep", slices.Concat(good, field(9, slices.Concat(field(1, []byte("k")), field(2, deep(1_600_000)))))},
		{"a group that does not end", "truncated", slices.Concat(good, []byte{0x53})},
		{"an endless varint", "overflow", slices.Concat(good, []byte{0x30}, bytes.Repeat([]byte{0xff}, 12))},
	} {
		got, report := readMessage(source.NewMessageReader(nil), ofTen(c.span))
		if len(got) != 9 || report.Spans != 9 || report.Damaged != 1 || len(report.Reasons) != 1 || !strings.Contains(report.Reasons[0].Error(), c.want) {
			t.Errorf("%s: %d spans, %+v; want 9, and one reason with %q", c.why, len(got), report, c.want)
		}
		if len(got) == 9 && got[8].Service != "a" {
			t.Errorf("%s: service %q", c.why, got[8].Service)
		}
	}
}

// The same for JSON.
func TestOneBadSpanOfAJSONMessage(t *testing.T) {
	good := string(jsonOf(t, ofTen(protoSpan(0xee))))
	at, id := `"traceId":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"`, `"spanId":"eeeeeeeeeeeeeeee"`
	for _, c := range []struct{ why, old, new, want string }{
		{"a short trace id", at, `"traceId":"eeee"`, `has 4 characters, want 32`},
		{"no trace id", at, `"traceId":""`, "it has no trace id"},
		{"no span id", id, `"spanId":""`, "it has no span id"},
		{"text as a time", id, id + `,"startTimeUnixNano":"now"`, `field "startTimeUnixNano"`},
		{"lists in lists", id, id + `,"x":` + strings.Repeat("[", 1_600_000) + strings.Repeat("]", 1_600_000), "nested more than 200 levels deep"},
		{"a dropped count beyond 32 bits", id, id + `,"droppedLinksCount":99999999999`, "out of range"},
	} {
		in := strings.Replace(good, c.old, c.new, 1)
		got, report := readMessage(source.NewMessageReader(nil), []byte(in))
		if in == good || len(got) != 9 || report.Damaged != 1 || len(report.Reasons) != 1 || !strings.Contains(report.Reasons[0].Error(), c.want) {
			t.Errorf("%s: %d spans, %+v; want 9, and one reason with %q", c.why, len(got), report, c.want)
		}
	}
}

// What is cut off at the end costs what is there no more than the span that it cuts.
func TestMessageCutAnywhere(t *testing.T) {
	message := ofTen(protoSpan(6))
	for name, in := range map[string][]byte{"protobuf": message, "JSON": jsonOf(t, message)} {
		reader := source.NewMessageReader(nil)
		before := 0
		for size := 1; size < len(in); size++ {
			report := reader.Read(in[:size], func(*journey.Span) {})
			if report.Damaged != 1 || len(report.Reasons) != 1 || report.Spans < before {
				t.Fatalf("%s cut at %d: %+v after %d spans", name, size, report, before)
			}
			before = report.Spans
		}
		if before < 9 {
			t.Errorf("%s: %d spans of all but the last byte, want at least 9", name, before)
		}
	}
}

// What is no message of spans has a reason, too.
func TestMessageOfSomethingElse(t *testing.T) {
	for why, c := range map[string]struct{ in, want string }{
		"words":         {"hello", "line 1: text that is no JSON object"},
		"logs":          {`{"resourceLogs":[]}`, "line 1: no traces"},
		"another trace": {`{"trace_id":"1","parent_id":"2","span_id":"3","service":"a"}`, "line 1: "},
		"a number":      {"\x10\x01", "no field resource_spans"},
		"random bytes":  {"\xff\xff\xff\xff\x00", "not an OTLP protobuf message of traces"},
		"nothing read":  {"{}", "no traces"},
		"log records":   {string(field(1, field(2, field(2, protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), 1))))), `field "trace_id": encoded with wire type 1`},
	} {
		report := source.NewMessageReader(nil).Read([]byte(c.in), func(*journey.Span) { t.Errorf("%s: a span", why) })
		if report.Damaged != 1 || len(report.Reasons) != 1 || !strings.Contains(report.Reasons[0].Error(), c.want) {
			t.Errorf("%s: %+v, want one reason with %q", why, report, c.want)
		}
	}
	if report := source.NewMessageReader(nil).Read(nil, nil); report.Damaged != 0 {
		t.Errorf("an empty request: %+v", report)
	}
}

// FuzzMessage is about sums, and about memory that one message leaves to the next.
func FuzzMessage(f *testing.F) {
	message := everyField(f)
	f.Add(message)
	f.Add(jsonOf(f, message))
	f.Add(ofTen(protoSpan(1)[:40]))
	f.Add(ofTen(deep(300)))
	f.Add([]byte("{\"resourceSpans\":[]}\n{\"resourceSpans\":[{}]}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		reader := source.NewMessageReader(func(key string) bool { return len(key)%2 == 1 })
		first, report := readMessage(reader, in)
		if report.Spans != len(first) || len(report.Reasons) > source.MaxReasons || (report.Damaged == 0) != (len(report.Reasons) == 0) || report.Damaged < len(report.Reasons) {
			t.Errorf("%d spans, %+v", len(first), report)
		}
		for _, s := range first {
			if s.Trace.IsZero() || s.ID.IsZero() || s.Start == 0 || s.End == 0 || !utf8.ValidString(s.Name+s.Service+s.TraceState+s.StatusMessage) {
				t.Errorf("an incomplete span: %+v", s)
			}
		}
		reader.Read(message, func(*journey.Span) {})
		if again, _ := readMessage(reader, in); !cmp.Equal(first, again, sameAsRead) {
			t.Errorf("the second time: %s", cmp.Diff(first, again, sameAsRead))
		}
	})
}
