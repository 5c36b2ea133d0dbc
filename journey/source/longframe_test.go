package source_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey/internal/raced"
	"tracelab/journey/source"
)

// longSpans are spans of some 400 bytes each, whose ids are their numbers.
func longSpans(from, n int) []string {
	spans := make([]string, n)
	for i := range spans {
		spans[i] = fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x","name":"a \"name\" with } and ] \\","kind":2,"startTimeUnixNano":"%d","endTimeUnixNano":"%d",`+
			`"attributes":[{"key":"text","value":{"stringValue":"%s"}},{"key":"n","value":{"intValue":"%d"}},{"key":"list","value":{"arrayValue":{"values":[{"doubleValue":1.5},{"boolValue":true}]}}}],"status":{}}`,
			from+i+1, from+i+1, 1000+i, 2000+i, strings.Repeat("x", i%50), i)
	}
	return spans
}

// pieces reads a few bytes at a time, so that they end everywhere.
type pieces struct{ in io.Reader }

func (p pieces) Read(b []byte) (int, error) { return p.in.Read(b[:min(len(b), 97)]) }

// One document on one line, or over many lines, gives the same spans as a document on each line, and so does a list.
func TestLongDocuments(t *testing.T) {
	raced.OneGoroutine(t)
	const each = 250
	documents := sized(40, 10)
	window := source.WithLongFrom(sized(1<<20, 10))
	var lines, elements strings.Builder
	for n := range documents {
		doc := document(longSpans(n*each, each)...)
		lines.WriteString(doc + "\n")
		if n > 0 {
			elements.WriteString(",")
		}
		elements.WriteString(doc[len(`{"resourceSpans":[`) : len(doc)-2])
	}
	one := `{"resourceSpans":[` + elements.String() + `]}`
	if len(one) < sized(3<<20, 10) {
		t.Fatalf("the document has %d bytes only", len(one))
	}
	want, err := source.Read(strings.NewReader(lines.String()), "f", window)
	if err != nil || len(want.Spans) != documents*each {
		t.Fatalf("%d spans, %v", len(want.Spans), err)
	}
	for why, in := range map[string]io.Reader{
		"one line":                 strings.NewReader(one),
		"one line, wrapped":        strings.NewReader(`{"result":` + one + `}` + "\n"),
		"many lines":               strings.NewReader(strings.ReplaceAll(one, `,"kind"`, ",\n\t\"kind\"")),
		"a list on one line":       strings.NewReader("[" + strings.ReplaceAll(strings.TrimSpace(lines.String()), "\n", ",") + "]"),
		"one line of all, in two":  strings.NewReader(strings.Replace(one, "},{\"resource\":", "}]}{\"resourceSpans\":[{\"resource\":", 1)),
		"in pieces of 97 bytes":    pieces{strings.NewReader(one)},
		"in pieces of half a size": iotest.HalfReader(strings.NewReader(one)),
	} {
		got, err := source.Read(in, "f", window)
		if err != nil || got.Damaged > 0 || len(got.Warnings) > 0 {
			t.Errorf("%s: %d damaged, %v, %v", why, got.Damaged, got.Warnings, err)
			continue
		}
		for i := range got.Spans {
			got.Spans[i].Source = want.Spans[i].Source // which has the line
		}
		if !reflect.DeepEqual(want.Spans, got.Spans) {
			t.Errorf("%s (-lines +got):\n%.2000s", why, cmp.Diff(want.Spans, got.Spans, sameValues))
		}
	}
}

// What is damaged in a long document costs itself alone, and what follows is read.
func TestDamageInLongDocuments(t *testing.T) {
	raced.OneGoroutine(t)
	const n = 6000
	spans := longSpans(0, n)
	after := "\n" + document(spanA) + "\n"
	broken := func(change func(spans []string)) string {
		some := append([]string(nil), spans...)
		change(some)
		return document(some...)
	}
	whole := document(spans...)
	before := func(part string) string {
		text, _, found := strings.Cut(whole, part)
		if !found {
			t.Fatalf("the document has no %s", part)
		}
		return text
	}
	for _, c := range []struct {
		why, in               string
		spans, damaged, lines int
	}{
		{"nothing", whole, n + 1, 0, 2},
		{"an id of other letters", broken(func(s []string) { s[5000] = strings.Replace(s[5000], `"spanId":"0`, `"spanId":"x`, 1) }), n, 1, 2},
		{"nested too deep", broken(func(s []string) {
			s[5000] = strings.Replace(s[5000], `{"boolValue":true}`, nested(100_000), 1)
		}), n, 1, 2},
		{"a span that is a word", broken(func(s []string) { s[5000] = `"span"` }), n, 1, 2},
		{"many", broken(func(s []string) {
			for i := range 500 {
				s[i*10] = strings.Replace(s[i*10], `"kind":2`, `"kind":"ODD"`, 1)
			}
		}), n + 1 - 500, 500, 2},
		{"cut in a string", whole[:strings.Index(whole, `"startTimeUnixNano":"6000"`)-60], 5001, 1, 2},
		{"cut between values", before(`"startTimeUnixNano":"6000"`), 5001, 1, 2},
		{"cut between spans", before(`{"traceId":"0000000000000000000000000000138`), 4992, 1, 2},
		{"cut over many lines", strings.ReplaceAll(before(`"startTimeUnixNano":"6000"`), `,"kind"`, ",\n\"kind\""), 5001, 1, 5003},
		{"a bracket too many", strings.Replace(whole, `},{"traceId":"0000000000000000000000000000138`, `}},{"traceId":"0000000000000000000000000000138`, 1), 4992, 1, 2},
		{"words on a long line", strings.Repeat("word ", 1_000_000), 1, 1, 2},
		{"another signal", strings.Replace(whole, "resourceSpans", "resourceLogs", 1), 1, 0, 2},
	} {
		r, err := source.Read(strings.NewReader(c.in+after), "f")
		if err != nil || len(r.Spans) != c.spans || r.Damaged != c.damaged || r.Lines != c.lines || (len(r.Warnings) > 0) != (c.damaged > 0) {
			t.Errorf("%s: %d spans, %d damaged, %d lines, warnings %.300v, %v; want %d, %d, %d", c.why, len(r.Spans), r.Damaged, r.Lines, r.Warnings, err, c.spans, c.damaged, c.lines)
		}
	}
}

func TestLongDocumentErrors(t *testing.T) {
	raced.OneGoroutine(t)
	whole := document(longSpans(0, 6000)...)
	long := strings.Replace(whole, "xxxxx", strings.Repeat("x", 4<<20), 1)
	if _, err := source.Read(strings.NewReader(long), "f", source.WithLimit(2<<20)); err == nil || !strings.Contains(err.Error(), "f: line 1: what starts here has a part that is longer than") {
		t.Errorf("a part longer than the limit gives %v", err)
	}
	if r, err := source.Read(strings.NewReader(whole), "f", source.WithLimit(2<<20)); err != nil || len(r.Spans) != 6000 {
		t.Errorf("a document longer than the limit, of short parts: %d spans, %v", len(r.Spans), err)
	}
	if _, err := source.Read(failing{strings.NewReader(whole[:2<<20])}, "f"); !errors.Is(err, errBroken) {
		t.Errorf("a disk that fails gives %v", err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(whole)); err != nil || z.Close() != nil {
		t.Fatal("gzip to memory failed")
	}
	if r, err := source.Read(bytes.NewReader(packed.Bytes()[:packed.Len()/2]), "f"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half an archive: %d spans, %v", len(r.Spans), err)
	}
}

// endlessSpans is one document on one line, made as it is read.
type endlessSpans struct {
	left int
	buf  bytes.Buffer
}

func (e *endlessSpans) Read(p []byte) (int, error) {
	if e.buf.Len() == 0 && e.left > 0 {
		e.left--
		e.buf.WriteString(`{"spanId":"zz","attributes":[{"key":"text","value":{"stringValue":"` + strings.Repeat("x", 2000) + `"}}]},`)
	}
	return e.buf.Read(p)
}

// Memory is in proportion to spans, not to the document: here all of them are damaged.
func TestLongDocumentTakesNoMemoryOfItsOwn(t *testing.T) {
	raced.OneGoroutine(t)
	const n = 30_000
	in := &endlessSpans{left: n}
	in.buf.WriteString(`{"resourceSpans":[{"scopeSpans":[{"spans":[`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := source.Read(io.MultiReader(in, strings.NewReader(spanA+"]}]}]}")), "f")
	runtime.ReadMemStats(&after)
	if err != nil || len(r.Spans) != 1 || r.Damaged != n || len(r.Warnings) != 1 {
		t.Fatalf("%d spans, %d damaged, %d warnings, %v", len(r.Spans), r.Damaged, len(r.Warnings), err)
	}
	if taken := int64(after.HeapSys) - int64(before.HeapSys); taken > 30<<20 {
		t.Errorf("the heap grew by %d bytes for %d of input", taken, n*2060)
	}
}
