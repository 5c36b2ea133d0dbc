package source_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/source"
)

const (
	spanA = `{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"a","kind":2,"startTimeUnixNano":"1000","endTimeUnixNano":"2000"}`
	spanB = `{"traceId":"0AF7651916CD43DD8448EB211C80319C","spanId":"00F067AA0BA902B7","parentSpanId":"B7AD6B7169203331","name":"b","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":1100,"endTimeUnixNano":1900,` +
		`"status":{"code":"STATUS_CODE_ERROR","message":"no"},"flags":257,"droppedLinksCount":3,` +
		`"attributes":[{"key":"s","value":{"stringValue":"x"}},{"key":"i","value":{"intValue":"7"}},{"key":"j","value":{"intValue":8}},{"key":"l","value":{"arrayValue":{"values":[{"intValue":"1"}]}}}],` +
		`"links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","flags":1,"attributes":[{"key":"k","value":{"boolValue":true}}]}]}`
)

func document(spans ...string) string {
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"gateway"}},{"key":"host.id","value":{"stringValue":"h1"}},` +
		`{"key":"service.instance.id","value":{"stringValue":"i1"}}]},"scopeSpans":[{"scope":{"name":"lib"},"spans":[` + strings.Join(spans, ",") + `]}]}]}`
}

// pretty is a document over several lines, as a person's editor or a browser saves it.
func pretty(doc string) string {
	return strings.NewReplacer(`[{`, "[\n  {", `}]`, "}\n  ]", `,"scopeSpans"`, ",\n\"scopeSpans\"").Replace(doc)
}

func gzipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(s))
	if err != nil || z.Close() != nil {
		panic("gzip to memory failed")
	}
	return b.String()
}

func TestReadFields(t *testing.T) {
	r, err := source.Read(strings.NewReader(document(spanA, spanB)), "x.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Spans) != 2 || r.Lines != 1 || r.Damaged != 0 {
		t.Fatalf("got %d spans of %d lines, %d damaged; want 2 of 1, 0", len(r.Spans), r.Lines, r.Damaged)
	}
	a, b := r.Spans[0], r.Spans[1]
	if a.Trace != b.Trace || b.Parent != a.ID || b.Links[0].Ref != a.Ref() {
		t.Errorf("ids in upper case do not meet those in lower case: %v, parent %v, link %v", a.Ref(), b.Parent, b.Links[0].Ref)
	}
	if a.Kind != journey.KindServer || b.Kind != journey.KindClient || b.Status != journey.StatusError || b.StatusMessage != "no" {
		t.Errorf("kinds %v %v, status %v %q", a.Kind, b.Kind, b.Status, b.StatusMessage)
	}
	if a.Start != 1000 || a.End != 2000 || b.Start != 1100 || b.End != 1900 {
		t.Errorf("times %d-%d %d-%d", a.Start, a.End, b.Start, b.End)
	}
	if b.Service != "gateway" || b.Scope != "lib" || b.Resource.HostID != "h1" || b.Resource.InstanceID != "i1" || b.Source != "x.jsonl:1" {
		t.Errorf("service %q scope %q resource %+v source %q", b.Service, b.Scope, b.Resource, b.Source)
	}
	if b.Flags != 257 || b.DroppedLinks != 3 || b.Links[0].Flags != 1 || b.Links[0].Attributes[0].Value != journey.BoolValue(true) {
		t.Errorf("flags %d, dropped links %d, link %+v", b.Flags, b.DroppedLinks, b.Links[0])
	}
	for key, want := range map[string]journey.Value{"s": journey.StringValue("x"), "i": journey.IntValue(7), "j": journey.IntValue(8), "l": journey.JSONValue("[1]")} {
		if got, ok := b.Attr(key); !ok || got != want {
			t.Errorf("attribute %s is %v, want %v", key, got, want)
		}
	}
}

// nested is a list in a list in a list, as an attribute's value.
func nested(depth int) string {
	return strings.Repeat(`{"arrayValue":{"values":[`, depth) + strings.Repeat(`]}}`, depth)
}

func TestRead(t *testing.T) {
	const logs, metrics = `{"resourceLogs":[{}]}`, `{"resourceMetrics":[{}]}`
	a, b := document(spanA), document(spanB)
	tests := []struct {
		why, in                        string
		spans, lines, damaged, passing int
		warnings                       []string
	}{
		{"lines", a + "\n" + b + "\n", 2, 2, 0, 0, nil},
		{"no newline at the end", a + "\n" + b, 2, 2, 0, 0, nil},
		{"carriage returns and blank lines", a + "\r\n\r\n" + b + "\r\n", 2, 3, 0, 0, nil},
		{"logs and metrics between", logs + "\n" + a + "\n" + metrics + "\n", 1, 3, 0, 2, nil},
		{"one document over many lines", pretty(document(spanA, spanB)), 2, 18, 0, 0, nil},
		{"two objects in a line", a + b, 2, 1, 0, 0, nil},
		{"gzip", gzipped(a + "\n" + b + "\n"), 2, 2, 0, 0, nil},
		{"wrapped as Jaeger's api/v3 does", `{"result":` + a + `}`, 1, 1, 0, 0, nil},
		{"a list of documents", "[" + a + ",\n" + b + "]\n", 2, 2, 0, 0, nil},
		{"wrapped in batches", strings.Replace(a, "resourceSpans", "batches", 1), 1, 1, 0, 0, nil},
		{"another key first", `{"partialSuccess":{},` + a[1:], 1, 1, 0, 0, nil},
		{"a line cut in a string", a[:40] + "\n" + b + "\n", 1, 2, 1, 0, []string{"f:1: "}},
		{"a line cut between values", strings.TrimSuffix(a, "}]}]}") + "\n" + b + "\n", 2, 2, 1, 0, []string{"f:1: "}},
		{"a document cut over many lines, then a line", pretty(a)[:150] + "\n" + b, 1, 4, 3, 0, []string{"f:1: "}},
		{"the last line is cut", a + "\n" + b[:len(b)-3], 2, 2, 1, 0, []string{"f:2: "}},
		{"words between", "# my traces\n" + a + "\n", 1, 2, 1, 0, []string{"f:1: "}},
		{"a number that is too great", a + "\n" + strings.Replace(a, `"1000"`, `"99999999999999999999999"`, 1), 1, 2, 1, 0, []string{"f:2: "}},
		{"an id of the wrong length", a + "\n" + strings.Replace(a, "b7ad6b7169203331", "b7ad", 1), 1, 2, 1, 0, []string{"f:2: "}},
		{"an unknown kind", a + "\n" + strings.Replace(a, `"kind":2`, `"kind":"SPAN_KIND_ODD"`, 1), 1, 2, 1, 0, []string{"f:2: "}},
		{"another format", a + "\n" + `{"rows":[]}`, 1, 2, 0, 1, []string{"f: documents that are not read: 1; the first is f:2: no trace document"}},
		{"words of JSON between", "null\n" + a + "\n7\n", 1, 3, 0, 2, []string{"f: documents that are not read: 2; the first is f:1: null is no trace document"}},
		{"two damaged spans of a document", strings.Replace(document(spanA, spanB, spanB), "00F067AA0BA902B7", "00F0", 2), 1, 1, 2, 0, []string{"f:1: skipped: a span: "}},
		{"two defects in a line", a + "\n{]}\n", 1, 2, 1, 0, []string{"f:2: ", "f:2: "}},
		{"quotes, braces and backslashes in names", strings.Replace(a, `"name":"a"`, `"name":"\\\"}]{\\\\"`, 1) + b, 2, 1, 0, 0, nil},
		{"attributes nested too deep", a + "\n" + strings.Replace(b, `{"boolValue":true}`, nested(300), 1), 1, 2, 1, 0, []string{"f:2: "}},
		{"attributes nested less deep", a + "\n" + strings.Replace(b, `{"boolValue":true}`, nested(30), 1), 2, 2, 0, 0, nil},
		{"nested too deep", a + "\n{\"resourceSpans\":" + strings.Repeat("[", 1e6) + strings.Repeat("]", 1e6) + "}", 1, 2, 1, 0, []string{"f:2: "}},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			r, err := source.Read(strings.NewReader(c.in), "f")
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Spans) != c.spans || r.Lines != c.lines || r.Damaged != c.damaged || r.Passed != c.passing {
				t.Errorf("got %d spans, %d lines, %d damaged, %d passed; want %d, %d, %d, %d",
					len(r.Spans), r.Lines, r.Damaged, r.Passed, c.spans, c.lines, c.damaged, c.passing)
			}
			if len(r.Warnings) != len(c.warnings) {
				t.Fatalf("got warnings %v, want %d", r.Warnings, len(c.warnings))
			}
			for i, want := range c.warnings {
				if w := r.Warnings[i]; w.Rule != map[bool]journey.RuleID{true: journey.RuleDamaged, false: journey.RuleFormatLoss}[c.damaged > 0] || !strings.HasPrefix(w.Text, want) || strings.Contains(w.Text, "\n") || len(w.Text) > 300 {
					t.Errorf("warning %q of rule %s; want one line of D09 that starts with %q", w.Text, w.Rule, want)
				}
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	tests := []struct {
		why, in, want string
		options       []source.ReadOption
	}{
		{"nothing", "", "f:1: no spans: give OTLP", nil},
		{"logs only", `{"resourceLogs":[]}`, "f:1: no spans: its 1 documents hold other signals", nil},
		{"damage only", "\n{\"resourceSpans\":[{", "no spans: f:2: skipped: truncated", nil},
		{"no spans in it", `{"resourceSpans":[]}`, "f:1: no spans", nil},
		{"not gzip", "\x1f\x8bxx", "f: looks like gzip, but", nil},
		{"gzip that is cut", gzipped(document(spanA))[:60], "unexpected EOF", nil},
		{"over the limit", document(spanA) + "\n" + document(spanA, spanB), "f: line 2: what starts here is longer than 500 bytes", []source.ReadOption{source.WithLimit(500)}},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			_, err := source.Read(strings.NewReader(c.in), "f", c.options...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestReadFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.otlp.jsonl")
	if err := os.WriteFile(name, []byte(document(spanA)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := source.ReadFile(name); err != nil || len(r.Spans) != 1 {
		t.Errorf("got %d spans, %v", len(r.Spans), err)
	}
	if _, err := source.ReadFile(name + ".no"); err == nil || !strings.Contains(err.Error(), ".no") {
		t.Errorf("error %v does not name the file", err)
	}
}

var sameValues = cmp.Options{cmp.Comparer(func(a, b journey.Value) bool { return a == b }), cmpopts.EquateEmpty()}

// The same spans by JSON, by protobuf and by pdata are the same.
func TestFromOTLP(t *testing.T) {
	text := document(spanA, spanB)
	var u ptrace.JSONUnmarshaler
	traces, err := u.UnmarshalTraces([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var m ptrace.ProtoMarshaler
	message, err := m.MarshalTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	fromProto, err := source.FromOTLP(message, "f:1")
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := source.Read(strings.NewReader(text), "f")
	if err != nil {
		t.Fatal(err)
	}

	if d := cmp.Diff(fromJSON.Spans, fromProto, sameValues); d != "" {
		t.Errorf("protobuf differs from JSON (-JSON +protobuf):\n%s", d)
	}
	if d := cmp.Diff(fromJSON.Spans, source.FromTraces(traces, "f:1"), sameValues); d != "" {
		t.Errorf("pdata differs from JSON (-JSON +pdata):\n%s", d)
	}
	if _, err := source.FromOTLP(message[:len(message)-3], "f:7"); err == nil || !strings.Contains(err.Error(), "f:7") {
		t.Errorf("a message that is cut gives %v", err)
	}
}

// What is all damage is counted whole and listed in part, since a list of it would have no bound.
func TestDamageIsListedUpToABound(t *testing.T) {
	r, err := source.Read(strings.NewReader(strings.Repeat("damage\n", 5000)+document(spanA)), "f")
	if err != nil {
		t.Fatal(err)
	}
	if last := r.Warnings[len(r.Warnings)-1].Text; r.Damaged != 5000 || len(r.Warnings) != 101 || !strings.Contains(last, "4900 more") {
		t.Errorf("%d lines are damaged, with %d warnings, the last %q; want 5000, 101, 4900 more", r.Damaged, len(r.Warnings), last)
	}
}
