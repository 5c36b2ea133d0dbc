package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"tracelab/compare"
)

// DefaultLimit is how long a single document or line may be, in bytes, unless Limit says otherwise.
const DefaultLimit = 256 << 20

// Result is what was read.
type Result struct {
	Spans    []compare.Span
	Lines    int               // lines of the input
	Damaged  int               // lines that could not be read, each in Warnings
	Passed   int               // documents of other signals, such as logs and metrics, passed over
	Warnings []compare.Warning // rule D09, naming file and line

	damagedTo int // the last line that is counted in Damaged
}

// Option changes how input is read.
type Option func(*options)

type options struct{ limit int }

// Limit sets how long a single document or line may be, in bytes. A longer one is an error.
func Limit(bytes int) Option { return func(o *options) { o.limit = bytes } }

// ReadFile reads the spans of a file: see Read.
func ReadFile(name string, opts ...Option) (Result, error) {
	f, err := os.Open(name)
	if err != nil {
		return Result{}, fmt.Errorf("read spans: %w", err)
	}
	result, err := Read(f, name, opts...)
	return result, errors.Join(err, f.Close())
}

// Read reads spans from OTLP/JSON: one document, or lines that may be mixed with logs and metrics; plain or gzip. A
// damaged line is counted, reported and skipped. It is an error when nothing but damage is there, or no spans at all, when
// a line exceeds the limit, and when reading fails; errors name the input and the line.
func Read(r io.Reader, name string, opts ...Option) (Result, error) {
	o := options{limit: DefaultLimit}
	for _, option := range opts {
		option(&o)
	}
	in, err := decompress(r)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", name, err)
	}
	var result Result
	d := otlpDecoder{decoder: decoder{names: make(map[string]string)}}
	frames := newFramer(in, o.limit, func(text []byte, line int) bool {
		err := d.decode(text, where(name, line))
		if errors.Is(err, errOtherSignal) {
			result.Passed++
		}
		return err == nil || errors.Is(err, errOtherSignal)
	})
	for {
		f, err := frames.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return result, fmt.Errorf("%s: %w", name, err)
		}
		result.add(f, &d, name)
	}
	result.Lines, result.Spans = frames.line, d.spans
	if len(result.Spans) == 0 {
		return result, noSpans(result, name)
	}
	return result, nil
}

// decompress looks at the first two bytes for gzip's mark.
func decompress(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	mark, err := in.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(mark, []byte{0x1f, 0x8b}) {
		return in, nil
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("looks like gzip, but: %w", err)
	}
	return z, nil
}

func where(name string, line int) string { return fmt.Sprintf("%s:%d", name, line) }

// add reads one frame.
func (r *Result) add(f frame, d *otlpDecoder, name string) {
	err := f.damage
	if err == nil {
		err = d.decode(f.text, where(name, f.line))
	}
	if err == nil {
		return
	}
	if errors.Is(err, errOtherSignal) {
		r.Passed++
		return
	}
	last := f.line + f.lines - 1
	r.Damaged += last - max(f.line-1, r.damagedTo)
	r.damagedTo = last
	r.Warnings = append(r.Warnings, compare.Warning{Rule: "D09", Text: fmt.Sprintf("%s: skipped: %v", where(name, f.line), err)})
}

func noSpans(r Result, name string) error {
	switch {
	case len(r.Warnings) > 0:
		return fmt.Errorf("no spans: %s (%d of %d lines are damaged)", r.Warnings[0].Text, r.Damaged, r.Lines)
	case r.Passed > 0:
		return fmt.Errorf("%s:1: no spans: its %d documents hold other signals", name, r.Passed)
	}
	return fmt.Errorf("%s:1: no spans: give OTLP/JSON traces, as one document or as lines", name)
}
