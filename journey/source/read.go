package source

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"tracelab/journey"
	"tracelab/journey/format"
)

// DefaultLimit is how many bytes a single document, line or message may have without WithLimit.
const DefaultLimit = 256 << 20

// ErrNoSpans is in the errors of Read when the input could be read and holds no spans.
var ErrNoSpans = errors.New("no spans")

// Result is what was read.
type Result struct {
	Spans   []journey.Span
	Lines   int // lines of the input; messages, where it is protobuf
	Damaged int // lines, messages and single spans that could not be read: the first hundred are in Warnings, with the number of the others
	Passed  int // documents that were skipped: of other signals, such as logs and metrics, and of kinds that are not read

	// Warnings are of rule D09 (damage, naming file and line), D11 (what the format or the reading has lost) or P07 (what a
	// store had to say about a whole trace).
	Warnings []journey.Warning

	// DamagedTraces are the traces of which a part could not be read, as far as that could be told, each once.
	DamagedTraces []journey.TraceID

	refused   *RefusedError // the first document of a kind that is not read
	refusals  int           // how many such documents there are
	damagedTo int           // the last line that is counted in Damaged
	unlisted  int           // warnings of damage beyond maxListed
	isDamaged map[journey.TraceID]bool
}

// Add appends what was read elsewhere.
func (r *Result) Add(other Result) {
	r.Spans, r.Warnings = append(r.Spans, other.Spans...), append(r.Warnings, other.Warnings...)
	r.Lines, r.Damaged, r.Passed = r.Lines+other.Lines, r.Damaged+other.Damaged, r.Passed+other.Passed
	r.DamagedTraces = append(r.DamagedTraces, other.DamagedTraces...)
}

// maxListed is how many warnings of damage are listed, so that damaged input does not fill the memory with them.
const maxListed = 100

// ReadOption changes how input is read.
type ReadOption func(*readOptions)

type readOptions struct {
	limit    int
	size     int64 // of the input in bytes, or 0 when it is not known
	progress *progress
	longFrom int // from how many bytes on an object is read through a window
}

// WithLimit sets how many bytes a single document, line or message may have; the default is DefaultLimit. A longer one is an
// error. Reading takes memory for the spans and at worst about four times the limit.
func WithLimit(bytes int) ReadOption { return func(o *readOptions) { o.limit = bytes } }

// ReadFile reads the spans of a file: see Read.
func ReadFile(name string, opts ...ReadOption) (Result, error) {
	f, err := os.Open(name)
	var failed *fs.PathError
	switch {
	case errors.As(err, &failed): // its text would have the name unescaped
		return Result{}, fmt.Errorf("read spans: %s %s: %w", failed.Op, format.Escape(name), failed.Err)
	case err != nil:
		return Result{}, fmt.Errorf("read spans: %w", err)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return Result{}, errors.Join(fmt.Errorf("read spans: %s is a directory: name a file in it", format.Escape(name)), f.Close())
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		opts = append(slices.Clip(opts), func(o *readOptions) { o.size = info.Size() })
	}
	result, err := Read(f, name, opts...)
	return result, errors.Join(err, f.Close())
}

// Read reads spans in any of the formats that the package comment lists; the content tells which. It counts, reports and
// skips a damaged line, and a damaged protobuf message whose end is known. It fails when there are no spans (ErrNoSpans),
// when a line exceeds the limit, and when reading fails; errors name the input and the line, and the field that is wrong.
func Read(r io.Reader, name string, opts ...ReadOption) (Result, error) {
	name = format.Escape(name)
	o := readOptions{limit: DefaultLimit, longFrom: longFrom}
	for _, option := range opts {
		option(&o)
	}
	o.progress = &progress{in: r, size: o.size}
	in, err := decompress(o.progress, o.limit)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", name, err)
	}
	kind, err := recognize(in)
	if refused := (*RefusedError)(nil); errors.As(err, &refused) {
		refused.Input = name
		return Result{}, refused
	}
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", name, err)
	}
	result := Result{}
	if kind == protobufFormat {
		err = result.readProtobuf(in, name, o.limit)
	} else {
		err = result.readJSON(in, name, o)
	}
	if result.unlisted > 0 {
		result.Warnings = append(result.Warnings, journey.Warning{Rule: journey.RuleDamaged, Text: fmt.Sprintf("%s: skipped: %d more pieces that are damaged", name, result.unlisted)})
	}
	if err != nil {
		return result, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case len(result.Spans) == 0 && result.refused != nil:
		return result, result.refused
	case len(result.Spans) == 0:
		return result, noSpans(result, name)
	case result.refused != nil:
		result.lost(name, fmt.Sprintf("documents that are not read: %d; the first is %v", result.refusals, result.refused))
	}
	return result, nil
}

// readJSON reads documents and lines.
func (r *Result) readJSON(in *bufio.Reader, name string, o readOptions) error {
	d := spanDecoder{decoder: decoder{names: make(map[string]string)}, progress: o.progress}
	defer func() { r.finish(&d, name) }()
	frames := newFramer(in, o, func(text []byte, line int) bool {
		err := d.tryWhole(text, where(name, line))
		if err != nil && !isOther(err) {
			return false
		}
		r.report(err, line, 1, name)
		return true
	})
	for {
		f, err := frames.next()
		r.Lines = frames.line
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && f.long {
			err = r.readLong(frames, f, &d, name)
			r.Lines = frames.line
		} else if err == nil {
			r.readFrame(f, &d, name)
		}
		if err != nil {
			return err
		}
	}
}

// readFrame reads an object, or the undamaged part of it.
func (r *Result) readFrame(f frame, d *spanDecoder, name string) {
	known := len(d.damagedTraces)
	err := d.frame(f, where(name, f.line))
	if err != nil && !isOther(err) && len(d.damagedTraces) == known {
		d.damagedTraces = appendTraces(d.damagedTraces, f.text)
	}
	r.report(err, f.line, f.lines, name)
}

// frame reads an object, or the undamaged part of it.
func (d *spanDecoder) frame(f frame, where string) error {
	err := f.damage
	if bytes.HasPrefix(f.text, []byte{'{'}) {
		return cmp.Or(err, d.decode(f.text, where))
	}
	if refused := refuseText(f.text, where); refused != nil {
		return refused
	}
	return err
}

// readLong reads an object that is longer than its frame.
func (r *Result) readLong(frames *framer, f frame, d *spanDecoder, name string) error {
	rest, err := d.decodeLong(f.text, where(name, f.line), window{more: frames.more, limit: frames.limit, pin: -1})
	frames.resume(rest)
	line := f.line
	switch {
	case errors.Is(d.window.broken, errTooLong):
		return fmt.Errorf("line %d: what starts here has a part that is longer than %d bytes; split it, or raise the limit", f.line, frames.limit)
	case d.window.broken != nil:
		return fmt.Errorf("line %d: %w", frames.line, d.window.broken)
	case d.err != nil:
		line = frames.line
		if err := frames.skipObject(d.failed); err != nil {
			return err
		}
	}
	r.report(err, line, max(1, frames.line-line+1), name)
	return nil
}

// finish moves what the decoder has read into the result, and adds warnings of what was lost.
func (r *Result) finish(d *spanDecoder, name string) {
	r.Spans = d.spans
	r.Warnings = append(r.Warnings, d.notes...)
	if d.jaeger > 0 {
		r.lost(name, lostInJaeger)
	}
	if d.zipkin > 0 {
		r.lost(name, lostInZipkin)
	}
	for _, err := range d.bad {
		r.skipped(err)
	}
	r.unlisted += d.unlisted
	r.Damaged += d.badSpans
	r.repaired(name, d.repaired)
	r.noteTraces(d.damagedTraces)
}

func (r *Result) repaired(name string, count int) {
	if count > 0 {
		r.lost(name, fmt.Sprintf("strings that were not UTF-8: %d; U+FFFD stands for what could not be read", count))
	}
}

func (r *Result) lost(name, what string) {
	r.Warnings = append(r.Warnings, journey.Warning{Rule: journey.RuleFormatLoss, Text: name + ": " + what})
}

func where(name string, line int) string { return fmt.Sprintf("%s:%d", name, line) }

// isOther reports whether an error means a whole document that is not of traces.
func isOther(err error) bool {
	return errors.Is(err, errOtherSignal) || errors.As(err, new(*RefusedError))
}

// report counts lines that could not be used, and says why.
func (r *Result) report(err error, line, lines int, name string) {
	switch {
	case err == nil:
	case isOther(err):
		r.Passed++
		if refused := (*RefusedError)(nil); errors.As(err, &refused) {
			if r.refusals++; r.refused == nil {
				r.refused = refused
			}
		}
	default:
		last := line + lines - 1
		r.Damaged += last - max(line-1, r.damagedTo)
		r.damagedTo = last
		r.skipped(fmt.Errorf("%s: skipped: %w", where(name, line), err))
	}
}

func (r *Result) skipped(err error) {
	if len(r.Warnings) >= maxListed {
		r.unlisted++
		return
	}
	r.Warnings = append(r.Warnings, journey.Warning{Rule: journey.RuleDamaged, Text: format.Escape(err.Error())})
}

func noSpans(r Result, name string) error {
	switch {
	case r.Damaged > 0:
		first := slices.IndexFunc(r.Warnings, func(w journey.Warning) bool { return w.Rule == "D09" })
		return fmt.Errorf("%w: %s (damaged: %d; lines: %d)", ErrNoSpans, r.Warnings[first].Text, r.Damaged, r.Lines)
	case r.Passed > 0:
		return fmt.Errorf("%s:1: %w: its %d documents hold other signals", name, ErrNoSpans, r.Passed)
	}
	return fmt.Errorf("%s:1: %w: %s", name, ErrNoSpans, hintRead)
}
