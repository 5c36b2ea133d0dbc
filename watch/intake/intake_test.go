package intake_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey/source"
	"tracelab/watch/intake"
	"tracelab/watch/record"
)

// slim returns the slim spans of records, sorted, and checks that each stands in the record of its trace.
func slim(t *testing.T, records []record.Record) []string {
	t.Helper()
	var list []string
	for _, r := range records {
		if r.Kind != record.Span || len(r.Spans) == 0 {
			t.Errorf("a record of kind %v with %d spans", r.Kind, len(r.Spans))
		}
		for _, b := range r.Spans {
			s, err := record.DecodeSpan(b)
			if err != nil || s.Trace != r.To {
				t.Errorf("a span of trace %v in the record of %v, %v", s.Trace, r.To, err)
			}
			list = append(list, string(b))
		}
	}
	slices.Sort(list)
	return list
}

// slimFile returns what a file with these bytes gives, and how many of its spans nobody could place.
func slimFile(t *testing.T, in []byte) (list []string, misplaced int) {
	t.Helper()
	result, err := source.Read(bytes.NewReader(in), "f")
	if err != nil {
		t.Fatal(err)
	}
	for i := range result.Spans {
		s := &result.Spans[i]
		if s.Trace.IsZero() || s.ID.IsZero() || s.Start == 0 || s.End == 0 {
			misplaced++
			continue
		}
		list = append(list, string(record.AppendSpan(nil, s)))
	}
	slices.Sort(list)
	return list, misplaced + result.Damaged
}

// A value gives the same slim spans as the judge's reader of files makes of its bytes, in both encodings.
func TestValuesReadAsFilesDo(t *testing.T) {
	reader := intake.New()
	inputs := map[string][]byte{}
	for traces := 1; traces <= 4; traces++ {
		all := batch(traces)
		inputs[fmt.Sprintf("protobuf of %d traces", traces)] = protobuf(t, all)
		inputs[fmt.Sprintf("JSON of %d traces", traces)] = json(t, all)
		inputs[fmt.Sprintf("lines of %d traces", traces)] = slices.Concat(json(t, all), []byte("\n"), json(t, batch(1)))
	}
	for _, name := range caseFiles(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := source.Read(bytes.NewReader(text), "f"); err == nil {
			inputs[name] = text
		}
	}
	for name, in := range inputs {
		want, damaged := slimFile(t, in)
		for range 2 { // the second time in memory that the others used
			b := reader.Read(in)
			if d := cmp.Diff(want, slim(t, b.Records)); d != "" || b.Spans != len(want) || b.Damaged != damaged || (b.Reason == "") != (damaged == 0) {
				t.Errorf("%s: damaged %d, want %d, %q, -file +record:\n%s", name, b.Damaged, damaged, b.Reason, d)
			}
		}
	}
	checkSums(t, reader.Sums())
}

// caseFiles are the inputs of the judge's own tests.
func caseFiles(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"../../journey/testdata/cases/*.json", "../../journey/source/testdata/*.json"} {
		more, err := filepath.Glob(pattern)
		if err != nil || len(more) == 0 {
			t.Fatalf("%s: %v, %v", pattern, more, err)
		}
		files = append(files, more...)
	}
	return files
}

func checkSums(t *testing.T, s intake.Sums) {
	t.Helper()
	if s.Records != s.Decoded+s.RecordsDamaged || s.Spans != s.SpansDecoded+s.SpansDamaged {
		t.Errorf("sums do not hold: %+v", s)
	}
}

// A damaged value gives what can be read of it, and one line that says what cannot.
func TestDamagedValues(t *testing.T) {
	message := protobuf(t, batch(2))
	text := string(json(t, batch(2)))
	id := `"traceId":"01000000000000000000000000000002"`
	deep := strings.Repeat("[", 1_600_000)
	for _, c := range []struct {
		why, in, want  string
		spans, damaged int
	}{
		{"nothing", "", "", 0, 0},
		{"words", "hello", "no JSON object", 0, 1},
		{"a value of logs", `{"resourceLogs":[]}`, "no traces", 0, 1},
		{"protobuf that is cut", string(message[:len(message)-9]), "a resource with its spans: truncated", 33, 1}, // the collector writes a resource behind its spans
		{"a list of lists", deep, "no JSON object", 0, 1},
		{"a list of lists in a span", strings.Replace(text, id, id+`,"x":`+deep+strings.Repeat("]", len(deep)), 1), "nested more than 200 levels deep", 35, 1},
		{"a trace id of two bytes", strings.Replace(text, id, `"traceId":"0101"`, 1), "want 32 hexadecimal digits", 35, 1},
		{"eighteen spans without a trace", strings.ReplaceAll(text, id, `"x":1`), "it has no trace id; a span: ", 18, 18},
		{"long reasons", strings.ReplaceAll(text, id, `"traceId":"`+strings.Repeat("é", 3000)+`"`), "more in this record", 18, 18},
		{"a line that is damaged between two", text + "\n{\"resourceSpans\":[\n" + text, "line 2: ", 72, 1},
	} {
		reader := intake.New()
		b := reader.Read([]byte(c.in))
		checkSums(t, reader.Sums())
		if b.Spans != c.spans || len(slim(t, b.Records)) != c.spans || b.Damaged != c.damaged || !strings.Contains(b.Reason, c.want) || len(b.Reason) > 1000 {
			t.Errorf("%s: %d spans, %d damaged, %.300q; want %d, %d, with %q", c.why, b.Spans, b.Damaged, b.Reason, c.spans, c.damaged, c.want)
		}
	}
}

// The spans of one trace go into several records when they are many.
func TestLargeTraces(t *testing.T) {
	all := batch(1)
	spans := all.ResourceSpans().At(0).ScopeSpans().At(1).Spans()
	for n := range 2000 {
		spans.At(0).CopyTo(spans.AppendEmpty())
		spans.At(spans.Len() - 1).SetSpanID(spanID(9, 9, n))
	}
	b := intake.New().Read(protobuf(t, all))
	if b.Spans != 2018 || len(slim(t, b.Records)) != 2018 || len(b.Records) < 3 {
		t.Errorf("%d spans in %d records", b.Spans, len(b.Records))
	}
	for _, r := range b.Records {
		if size := len(r.Append(nil)); size > 80<<10 {
			t.Errorf("a record of %d bytes", size)
		}
	}
}

// FuzzRead is about any bytes: what they give is decodable, sums hold, and a value leaves nothing to the next.
func FuzzRead(f *testing.F) {
	good := protobuf(f, batch(1))
	f.Add(good)
	f.Add(json(f, batch(1)))
	f.Add(good[:len(good)/2])
	f.Add([]byte("{\"resourceSpans\":[]}\nx"))
	f.Add(protowire.AppendBytes([]byte{0x0a}, []byte{0x12, 0x02, 0x12, 0x00}))
	f.Fuzz(func(t *testing.T, in []byte) {
		reader := intake.New()
		b := reader.Read(in)
		first := slim(t, b.Records)
		if len(first) != b.Spans || (b.Damaged > 0) != (b.Reason != "") || len(b.Reason) > 1000 || !utf8.ValidString(b.Reason) {
			t.Errorf("%d spans, %d in records, %d damaged, %q", b.Spans, len(first), b.Damaged, b.Reason)
		}
		if b := reader.Read(good); b.Spans != 18 || b.Damaged != 0 {
			t.Errorf("the next value: %+v", b)
		}
		if d := cmp.Diff(first, slim(t, reader.Read(in).Records)); d != "" {
			t.Errorf("the same value again (-first +second):\n%s", d)
		}
		checkSums(t, reader.Sums())
	})
}
