package source_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey"
	"tracelab/journey/source"
)

// check fails for what must not be so, of whatever was read.
func check(t *testing.T, in []byte) {
	t.Helper()
	r, err := source.Read(bytes.NewReader(in), "f", source.WithLimit(1<<20))
	if err == nil && len(r.Spans) == 0 {
		t.Error("no error though there is no span")
	}
	if damage := count(r.Warnings, "D09"); (damage > 0) != (r.Damaged > 0) {
		t.Errorf("%d lines are damaged, with %d warnings of it", r.Damaged, damage)
	}
	if long, longErr := source.Read(bytes.NewReader(in), "f", source.WithLimit(1<<20), source.WithLongFrom(10)); len(r.Warnings) == 0 && err == nil {
		for i := range long.Spans {
			long.Spans[i].Source = r.Spans[min(i, len(r.Spans)-1)].Source
		}
		if d := cmp.Diff(r.Spans, long.Spans, sameValues); longErr != nil || d != "" {
			t.Errorf("read through a window %v (-whole +window):\n%s", longErr, d)
		}
	}
	set := journey.NewSet(r.Spans)
	for _, j := range set.Journeys() {
		if w := journey.Waits(j.CompletionPath()); w > j.Completion() {
			t.Errorf("waits of %d ns in a completion of %d ns", w, j.Completion())
		}
	}
}

func count(warnings []journey.Warning, rule journey.RuleID) (n int) {
	for _, w := range warnings {
		if w.Rule == rule {
			n++
		}
	}
	return n
}

// FuzzRead is about all formats, and how they are told apart.
func FuzzRead(f *testing.F) {
	for _, in := range formats(f) {
		f.Add(in)
	}
	for _, seed := range []string{"\xff\xfe{}", "", "PK\x03\x04", "<html>", "\x00\x00\x00\x05\x0a\x03\x12\x01\x00", "\x1f\x8b\x08"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(check)
}

func FuzzOTLPJSON(f *testing.F) {
	for _, seed := range []string{
		document(spanA, spanB), pretty(document(spanB)), document(spanA)[:70] + "\n" + document(spanB), `{"result":{"batches":[]}}`,
		"{\"resourceSpans\":" + strings.Repeat("[", 300), `{"resourceLogs":[{"a":"\\\""}]}`, "{]}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) { check(t, append([]byte("{"), in...)) })
}

func FuzzJaegerJSON(f *testing.F) {
	f.Add(jaegerJSON(f, drawn(f), true))
	for _, seed := range []string{
		jaegerDocument(`"tags":[{"key":"i","type":"int64","value":"9007199254740993"},{"key":"span.kind","value":"server"}]`),
		jaegerDocument(`"references":[{"refType":"CHILD_OF","traceID":"1","spanID":"2","span":{"references":[]}}]`),
		jaegerDocument(`"startTime":18446744073709551615,"duration":1.5`), `{"data":null,"errors":[{"msg":"no"}]}`, `{"spans":[{}],"resourceSpans":[],"spans":[{}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) { check(t, append([]byte("\n"), in...)) })
}

func FuzzZipkin(f *testing.F) {
	for _, seed := range []string{
		`{"traceId":"1","id":"2","timestamp":5,"duration":1,"kind":"SERVER","localEndpoint":{"serviceName":"a","ipv4":"1.2.3.4","port":1},"tags":{"error":"x","kafka.topic":"t"}}`,
		`[{"traceId":"1","id":"2","parentId":"1","shared":true,"timestamp":5}],[{"traceId":"1","id":"2","tags":{"a":1}}]`, `{"traceId":"1","id":"zz","timestamp":5}`,
		`{"traceId":"1","id":"2","name":"x","annotations":[{"endpoint":{}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) { check(t, append([]byte("["), in...)) })
}

// FuzzOtherKinds is about what is not read, and what looks like it.
func FuzzOtherKinds(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	more, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(files, more...) {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, seed := range []string{`{"resource":{"attributes":[]},"scopeSpans":[{"spans":[{"traceId":"qqqqqgAAAACqqqqqAAAAAQ=="}]}]}`, `{"trace":{"resourceSpans":[]}}`, `{"data":[{"spans":[{"name":"x"},{"spanID":"1"}]},7]}`, "null\n7"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(check)
}

// FuzzFromOTLP is about one message.
func FuzzFromOTLP(f *testing.F) {
	f.Add(protobuf(f, drawn(f)))
	f.Add(deep(3, 0x12, 0x4a, 0x12, 0x12, 0x0a))
	f.Add([]byte{0x0a, 0x02, 0x12, 0x00})
	f.Fuzz(func(t *testing.T, message []byte) {
		spans, err := source.FromOTLP(message, "f")
		if err != nil && len(spans) > 0 {
			t.Errorf("%d spans with the error %v", len(spans), err)
		}
		journey.NewSet(spans)
	})
}

// FuzzProtobuf is about how messages are told apart.
func FuzzProtobuf(f *testing.F) {
	message := protobuf(f, drawn(f)[:2])
	f.Add(behindVarint(message))
	f.Add(append(behindFourBytes(message), behindFourBytes(zstandard(f, message))...))
	f.Add(append(message, message[:40]...))
	f.Fuzz(func(t *testing.T, in []byte) { check(t, append([]byte{0}, in...)) })
}
