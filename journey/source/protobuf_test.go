package source_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey"
	"tracelab/journey/internal/raced"
	"tracelab/journey/source"
)

func TestProtobufDamage(t *testing.T) {
	spans := drawn(t)
	good, bad := protobuf(t, spans[:2]), protobuf(t, spans[2:4])
	bad[0] = 0x0b // a group that does not end
	half := len(good) / 2
	for _, c := range []struct {
		why                   string
		in                    []byte
		spans, lines, damaged int
		warning               string
	}{
		{"a damaged message between", slices.Concat(behindVarint(good), behindVarint(bad), behindVarint(good)), 4, 3, 1, "f:2: skipped: not an OTLP protobuf message"},
		{"likewise behind four bytes", slices.Concat(behindFourBytes(good), behindFourBytes(bad), behindFourBytes(good)), 4, 3, 1, "f:2: skipped: not an OTLP protobuf message"},
		{"zstd that is damaged", slices.Concat(behindFourBytes(zstandard(t, good)), behindFourBytes(zstandard(t, good)[:half/2]), behindFourBytes(good)), 4, 3, 1, "f:2: skipped: looks like zstd"},
		{"the last is cut", slices.Concat(behindVarint(good), behindVarint(good)[:half]), 2, 2, 1, fmt.Sprintf("f:2: skipped: truncated: the message that begins at byte %d does not end", len(behindVarint(good))+1)},
		{"the last length is cut", slices.Concat(behindFourBytes(good), []byte{0, 0}), 2, 2, 1, "f:2: skipped: truncated"},
		{"a plain one is cut", protobuf(t, spans)[:len(protobuf(t, spans))-3], 7, 4, 1, "f:4: skipped: truncated"},
		{"something else after it", slices.Concat(good, []byte("{}")), 2, 3, 1, "f:3: skipped: byte"},
		{"an endless varint", slices.Concat(behindVarint(good), bytes.Repeat([]byte{0xff}, 12)), 2, 2, 1, "f:2: skipped: byte"},
	} {
		r, err := source.Read(bytes.NewReader(c.in), "f")
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if len(r.Spans) != c.spans || r.Lines != c.lines || r.Damaged != c.damaged {
			t.Errorf("%s: got %d spans of %d messages, %d damaged; want %d, %d, %d", c.why, len(r.Spans), r.Lines, r.Damaged, c.spans, c.lines, c.damaged)
		}
		if len(r.Warnings) != 1 || r.Warnings[0].Rule != "D09" || !strings.HasPrefix(r.Warnings[0].Text, c.warning) {
			t.Errorf("%s: warnings %v, want one of D09 with %q", c.why, r.Warnings, c.warning)
		}
	}
}

// deep is a message with a value that is a list in a list, and so on, in the fields of these tags, the innermost first.
func deep(levels int, path ...byte) []byte {
	return deepPath(append(bytes.Repeat([]byte{0x0a, 0x2a}, levels), path...)...) // values of a list, the list of a value
}

// deepPath is a message of fields within one another, by their tags, the innermost first. It is built backwards.
func deepPath(tags ...byte) []byte {
	var reversed []byte
	for _, tag := range tags {
		length := protowire.AppendVarint(nil, uint64(len(reversed)))
		slices.Reverse(length)
		reversed = append(append(reversed, length...), tag)
	}
	slices.Reverse(reversed)
	return reversed
}

// Lists without a bound would end the process: pdata decodes them by recursion.
func TestProtobufNesting(t *testing.T) {
	raced.OneGoroutine(t)
	ofResource := []byte{0x12, 0x0a, 0x0a, 0x0a}
	for where, path := range map[string][]byte{
		"resource":            ofResource,
		"scope":               {0x12, 0x1a, 0x0a, 0x12, 0x0a},
		"span":                {0x12, 0x4a, 0x12, 0x12, 0x0a},
		"event":               {0x12, 0x1a, 0x5a, 0x12, 0x12, 0x0a},
		"link":                {0x12, 0x22, 0x6a, 0x12, 0x12, 0x0a},
		"map in a map":        {0x12, 0x0a, 0x32, 0x12, 0x0a, 0x32, 0x12, 0x4a, 0x12, 0x12, 0x0a},
		"map of a link":       {0x12, 0x0a, 0x32, 0x12, 0x22, 0x6a, 0x12, 0x12, 0x0a},
		"map of the resource": {0x12, 0x0a, 0x32, 0x12, 0x0a, 0x0a, 0x0a},
	} {
		if _, err := source.FromOTLP(deep(1000, path...), "f"); err == nil || !strings.Contains(err.Error(), "nested more than") {
			t.Errorf("1000 levels in the attributes of a %s give %v", where, err)
		}
		if _, err := source.FromOTLP(deep(20, path...), "f"); err != nil {
			t.Errorf("20 levels in the attributes of a %s give %v", where, err)
		}
	}
	if _, err := source.FromOTLP(deep(1_000_000, ofResource...), "f"); err == nil {
		t.Error("a million levels give no error")
	}
	in := slices.Concat(behindVarint(protobuf(t, drawn(t))), behindVarint(deep(1000, ofResource...)))
	if r, err := source.Read(bytes.NewReader(in), "f"); err != nil || r.Damaged != 1 {
		t.Errorf("got %d damaged, %v; want 1", r.Damaged, err)
	}
}

// One damaged span of a message costs no other, and neither does one resource.
func TestOneDamagedSpanOfAMessage(t *testing.T) {
	wrap := func(field protowire.Number, values ...[]byte) []byte {
		var b []byte
		for _, v := range values {
			b = protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
		}
		return b
	}
	good := slices.Concat(wrap(1, bytes.Repeat([]byte{1}, 16)), wrap(2, bytes.Repeat([]byte{2}, 8)))
	nested := slices.Concat(good, deep(1000, 0x12, 0x4a)) // a value of a key, an attribute
	shortID := wrap(1, []byte{1, 2, 3})
	badTime := slices.Concat(good, []byte{0x3a, 0x01, 0x00}) // text where a time should be
	of := func(spans ...[]byte) []byte { return wrap(1, wrap(2, wrap(2, spans...))) }
	badResource := wrap(1, slices.Concat(wrap(1, deep(1000, 0x12, 0x0a)), wrap(2, wrap(2, good, good))))
	for _, c := range []struct {
		why            string
		in             []byte
		spans, damaged int
	}{
		{"nested too deep", of(good, nested, good), 2, 1},
		{"an id of the wrong length", of(good, shortID, good), 2, 1},
		{"a time that is text", of(good, badTime, good), 2, 1},
		{"three of five", of(nested, good, shortID, badTime, good), 2, 3},
		{"in another scope", slices.Concat(of(good), of(nested), of(good)), 2, 1},
		{"a resource", slices.Concat(of(good), badResource, of(good)), 2, 1},
	} {
		for framing, in := range map[string][]byte{"behind a varint": behindVarint(c.in), "behind four bytes": behindFourBytes(c.in), "plain": c.in} {
			r, err := source.Read(bytes.NewReader(in), "f")
			if err != nil || len(r.Spans) != c.spans || r.Damaged != c.damaged || len(r.Warnings) != 1 || r.Warnings[0].Rule != journey.RuleDamaged {
				t.Errorf("%s, %s: %d spans, %d damaged, %v, %v; want %d, %d", c.why, framing, len(r.Spans), r.Damaged, r.Warnings, err, c.spans, c.damaged)
			}
		}
	}
}

// failing breaks after what it has.
type failing struct{ in io.Reader }

var errBroken = errors.New("the disk is on fire")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.in.Read(p)
	if errors.Is(err, io.EOF) {
		err = errBroken
	}
	return n, err
}

// endless is a line without an end.
type endless struct{ first io.Reader }

func (e endless) Read(p []byte) (int, error) {
	if n, _ := e.first.Read(p); n > 0 {
		return n, nil
	}
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestWhatIsNoTrace(t *testing.T) {
	message := protobuf(t, drawn(t))
	for _, c := range []struct {
		why, want string
		in        io.Reader
	}{
		{"HTML", "f: HTML or XML", strings.NewReader("\n<!doctype html><title>Jaeger UI</title>")},
		{"UTF-16", "f: text in UTF-16", strings.NewReader("\xff\xfe{\x00\"\x00")},
		{"zip", "f: a zip archive", strings.NewReader("PK\x03\x04\x14\x00")},
		{"a picture", "no spans: f:1: skipped: byte 1: no OTLP protobuf message", strings.NewReader("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")},
		{"zeros", "no spans", bytes.NewReader(make([]byte, 3000))},
		{"words", "no spans: f:1: skipped: text that is no JSON object", strings.NewReader("hello")},
		{"zstd that is cut", "f: ", bytes.NewReader(zstandard(t, message)[:20])},
		{"an endless line", "f: line 1: what starts here is longer than 1000000 bytes", endless{strings.NewReader(`{"resourceSpans":[`)}},
		{"an endless string in gzip", "f: line 1: what starts here is longer", strings.NewReader(gzipped(`{"resourceSpans":"` + strings.Repeat("x", 2_000_000)))},
		{"a great message", "f: byte 1: a message of 1000001 bytes, longer than 1000000", bytes.NewReader(slices.Concat([]byte{0x0a}, protowire.AppendVarint(nil, 1_000_001), []byte{0x0a, 0}))},
		{"a reader that breaks, JSON", "f: line 2: the disk is on fire", failing{strings.NewReader(document(spanA) + "\n{")}},
		{"a reader that breaks, protobuf", "the disk is on fire", failing{bytes.NewReader(message[:len(message)-3])}},
		{"a reader that is broken", "f: the disk is on fire", failing{strings.NewReader("")}},
	} {
		_, err := source.Read(c.in, "f", source.WithLimit(1_000_000))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.why, err, c.want)
		}
	}
	if _, err := source.ReadFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory gives %v", err)
	}
	if _, err := source.Read(strings.NewReader(""), "f"); !errors.Is(err, source.ErrNoSpans) {
		t.Errorf("nothing gives %v, which is not ErrNoSpans", err)
	}
}

// Strings that are not UTF-8 are kept with U+FFFD, and said to be.
func TestStringsThatAreNotUTF8(t *testing.T) {
	spans := drawn(t)
	spans[0].Name = "caf\xe9"
	jaeger := bytes.Replace(jaegerJSON(t, drawn(t), false), []byte(`"client"`), []byte("\"caf\xe9\""), 2)
	for why, in := range map[string][]byte{
		"JSON":        bytes.Replace(otlpJSON(t, drawn(t)), []byte(`"name":"client"`), []byte("\"name\":\"caf\xe9\""), 1),
		"protobuf":    protobuf(t, spans),
		"Jaeger JSON": bytes.Replace(jaeger, []byte(`"client"`), []byte("\"caf\xe9\""), 1),
	} {
		r, err := source.Read(bytes.NewReader(in), "f")
		if err != nil {
			t.Errorf("%s: %v", why, err)
			continue
		}
		last := r.Warnings[len(r.Warnings)-1]
		if r.Spans[0].Name != "caf\uFFFD" && r.Spans[0].Service != "caf\uFFFD" || last.Rule != "D11" || !strings.Contains(last.Text, "strings that were not UTF-8: 1;") {
			t.Errorf("%s: name %q, service %q, warnings %v", why, r.Spans[0].Name, r.Spans[0].Service, r.Warnings)
		}
	}
}
