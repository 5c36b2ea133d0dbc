package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"tracelab/journey"
)

// A MessageReader reads messages of spans that arrive one by one, such as the values of a topic's records. Each is the OTLP
// protobuf of a TracesData or ExportTraceServiceRequest, or JSON in any form that Read knows; the content tells which.
//
// It is for streams: it skips attributes that nobody wants without decoding them, and uses its memory again for the next
// message. A MessageReader must not be used by several goroutines at a time.
type MessageReader struct {
	keep   func(key string) bool
	keys   map[string]keptKey
	known  map[string]*knownResource // by its bytes
	emitTo func(*journey.Span)
	report Report
	json   spanDecoder

	// The current span of a protobuf message, and its lists.
	span       journey.Span
	attributes []journey.Attribute
	links      []journey.Link
	ofLinks    []journey.Attribute
	marks      []journey.Attribute // of the scope
}

// Report says what a MessageReader found in one message.
type Report struct {
	Spans    int     // spans that were read
	Damaged  int     // spans that could not be read; a piece whose spans cannot be told apart counts as one
	Reasons  []error // why, at most MaxReasons of them; the others are only counted
	Repaired int     // strings that were not UTF-8: U+FFFD stands for what could not be read
}

// MaxReasons is how many reasons a Report has at most.
const MaxReasons = 20

// NewMessageReader makes a reader of spans that keeps those attributes of spans and links whose key is wanted. A nil keep
// wants all. The attributes of resources are kept always.
func NewMessageReader(keep func(key string) bool) *MessageReader {
	if keep == nil {
		keep = func(string) bool { return true }
	}
	r := &MessageReader{keep: keep, keys: make(map[string]keptKey), known: make(map[string]*knownResource)}
	r.json = spanDecoder{decoder: decoder{names: make(map[string]string), key: r.key}, strict: true, reason: r.damaged, progress: &progress{}}
	return r
}

// Read calls span for each span of a message. The span is valid until span returns; its strings stay valid. Damage costs no
// other span: it is counted and reported, and so is a span that has no trace id, no span id or not both times, since nobody
// can place it. Read takes memory in proportion to the message, and of a protobuf message only for one span at a time.
func (r *MessageReader) Read(message []byte, span func(*journey.Span)) Report {
	r.report, r.emitTo, r.json.repaired = Report{}, span, 0
	if len(r.json.names) >= maxNames { // they were those of the messages before
		clear(r.json.names)
	}
	switch text := bytes.TrimPrefix(message, []byte("\xef\xbb\xbf")); {
	case len(message) == 0: // a request without spans
	case isBinary(message[:min(len(message), sniffed)]):
		r.readProtobuf(message)
	default:
		r.readJSON(text)
	}
	r.report.Repaired = r.json.repaired
	r.emitTo = nil
	return r.report
}

// keptKey is the key of an attribute as a string, and whether the attribute is wanted.
type keptKey struct {
	name string
	keep bool
}

// key returns the string of a key and whether its attribute is wanted. It allocates nothing for a key that it knows.
func (r *MessageReader) key(raw []byte) (name string, keep bool) {
	if k, ok := r.keys[string(raw)]; ok {
		return k.name, k.keep
	}
	k := keptKey{name: r.json.valid(raw)}
	k.keep = r.keep(k.name)
	if len(raw) <= maxNameLength {
		if len(r.keys) >= maxNames {
			clear(r.keys)
		}
		r.keys[string(raw)] = k
	}
	return k.name, k.keep
}

// damaged counts pieces that could not be read.
func (r *MessageReader) damaged(count int, err error) {
	r.report.Damaged += count
	if len(r.report.Reasons) < MaxReasons {
		r.report.Reasons = append(r.report.Reasons, err)
	}
}

func (r *MessageReader) emit(s *journey.Span) {
	if err := incomplete(s); err != nil {
		r.damaged(1, fmt.Errorf("a span: %w", err))
		return
	}
	r.report.Spans++
	r.emitTo(s)
}

// incomplete returns what a span lacks that every span must have.
func incomplete(s *journey.Span) error {
	switch {
	case s.Trace.IsZero():
		return errors.New("it has no trace id")
	case s.ID.IsZero():
		return fmt.Errorf("it has no span id (trace %v)", s.Trace)
	case s.Start == 0:
		return fmt.Errorf("it has no start time (span %v)", s.Ref())
	case s.End == 0:
		return fmt.Errorf("it has no end time (span %v)", s.Ref())
	}
	return nil
}

// readJSON reads documents: one, which is usual, or several with or without lines of their own.
func (r *MessageReader) readJSON(text []byte) {
	d := &r.json
	d.reset()
	before := r.report
	if err := d.tryWhole(text, ""); err != nil {
		r.report = before
		if r.readDocuments(text) == 0 {
			r.damaged(1, errNoObject)
		}
	}
	for i := range d.spans {
		r.emit(&d.spans[i])
	}
}

// reset forgets what was read, and keeps the memory unless a message took very much.
func (d *spanDecoder) reset() {
	if cap(d.spans) > fewSpans {
		d.spans = nil
	}
	clear(d.spans)
	d.spans, d.attributes, d.links, d.refs = d.spans[:0], d.attributes[:0], d.links[:0], d.refs[:0]
	d.bad, d.notes, d.damagedTraces, d.jaeger, d.zipkin, d.zipkinResources = nil, nil, nil, 0, 0, nil
}

// readDocuments reads what is not one undamaged document, and returns how many pieces it found.
func (r *MessageReader) readDocuments(text []byte) (pieces int) {
	frames := newFramer(bytes.NewReader(text), readOptions{limit: len(text) + 1, longFrom: len(text) + 1}, func([]byte, int) bool { return false })
	for ; ; pieces++ {
		f, err := frames.next()
		if errors.Is(err, io.EOF) {
			return pieces
		}
		if err == nil {
			err = r.json.frame(f, "")
		}
		if err != nil {
			r.damaged(1, fmt.Errorf("line %d: %w", f.line, err))
		}
	}
}
