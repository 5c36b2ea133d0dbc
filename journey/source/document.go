package source

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"tracelab/journey"
)

// errOtherSignal tells that a document holds logs, metrics or profiles, or nothing.
var errOtherSignal = errors.New("no traces")

// newSpan appends a span. It stays where it is until the next one is appended.
func (d *spanDecoder) newSpan() *journey.Span {
	if len(d.spans) == cap(d.spans) {
		d.spans = slices.Grow(d.spans, d.progress.more(len(d.spans)))
	}
	d.spans = append(d.spans, journey.Span{Source: d.where})
	return &d.spans[len(d.spans)-1]
}

// errNoObject tells that text is no JSON object.
var errNoObject = errors.New("no JSON object")

// spanDecoder reads JSON objects into spans, whichever of the formats each is in.
type spanDecoder struct {
	decoder
	where      string
	spans      []journey.Span
	attributes []journey.Attribute // storage for those of several spans
	links      []journey.Link      // likewise
	refs       []reference         // of the Jaeger span that is being read
	jaeger     int                 // spans that were read from Jaeger's own JSON
	notes      []journey.Warning   // what stores had to say about whole traces
	bad        []error             // of spans that could not be read: one for each document, up to maxListed
	badSpans   int                 // how many there are
	unlisted   int                 // of badSpans, those that bad does not tell of
	badHere    int                 // of the document that is being read
	firstBad   error               // of the document that is being read
	zipkin     int                 // spans that were read from Zipkin's JSON

	progress        *progress
	zipkinResources map[zipkinEndpoint]*journey.Resource
}

// tryWhole appends the spans of one object to those that are there already. When the text is damaged, none are appended.
func (d *spanDecoder) tryWhole(text []byte, where string) error {
	text = bytes.Trim(text, " \t\r\n[],")
	if !bytes.HasPrefix(text, []byte{'{'}) {
		return errNoObject
	}
	before := *d
	err := d.decode(text, where)
	if err != nil {
		d.spans, d.notes, d.jaeger, d.zipkin = d.spans[:len(before.spans)], d.notes[:len(before.notes)], before.jaeger, before.zipkin
		d.bad, d.badSpans, d.unlisted, d.repaired = d.bad[:len(before.bad)], before.badSpans, before.unlisted, before.repaired
	}
	return err
}

// decode appends the spans of one object. When it fails, the spans before the damage are kept.
func (d *spanDecoder) decode(text []byte, where string) error {
	d.begin(text, where)
	if d.zipkin > 0 && d.decodeZipkin() { // spans of one kind come together
		return nil
	}
	d.begin(text, where)
	err := d.document()
	if d.peek(); d.err == nil && d.pos < len(d.text) {
		d.fail("text after the object")
	}
	if errors.Is(err, errZipkin) && d.err == nil {
		d.begin(text, where)
		d.decodeZipkin()
		err = nil
	}
	return d.damage(err)
}

// decodeZipkin appends one span, and reports whether the text is one, whole.
func (d *spanDecoder) decodeZipkin() bool {
	from := len(d.spans)
	ids := d.zipkinSpan()
	if d.peek(); d.err != nil || !ids || d.pos < len(d.text) {
		d.spans = d.spans[:from]
		return false
	}
	d.zipkin++
	return true
}

// decodeLong appends the spans of one object of which the text is only the beginning. What it did not use of the text that
// it read is returned as rest.
func (d *spanDecoder) decodeLong(text []byte, where string, w window) (rest []byte, err error) {
	d.begin(text, where)
	d.window = w
	err = d.damage(d.document())
	if errors.Is(err, errZipkin) {
		err = &RefusedError{Input: where, Kind: fmt.Sprintf("a Zipkin span longer than %d bytes", longFrom), Hint: "it is no span that a tracer makes"}
	}
	return d.text[d.pos:], err
}

func (d *spanDecoder) begin(text []byte, where string) {
	d.text, d.pos, d.depth, d.field, d.err, d.where = text, 0, 0, "", nil, where
	d.window = window{pin: -1}
	d.badHere, d.firstBad = 0, nil
}

func (d *spanDecoder) damage(err error) error {
	switch {
	case d.badHere == 0:
	case len(d.bad) == maxListed:
		d.unlisted += d.badHere
	default:
		text := ""
		if d.badHere > 1 {
			text = fmt.Sprintf(" (and %d more in this document)", d.badHere-1)
		}
		d.bad = append(d.bad, fmt.Errorf("%s: skipped: %w%s", d.where, d.firstBad, text))
	}
	if d.err != nil {
		return fmt.Errorf("not a JSON document of traces: %w", d.err)
	}
	return err
}

// guarded reads one part of a document, such as a span, and reports whether it could be read. What is wrong with it costs no
// other part, as long as its end can be found.
func (d *spanDecoder) guarded(what string, read func()) bool {
	d.peek()
	spans, depth := len(d.spans), d.depth
	d.window.pin = d.pos
	read()
	start := d.window.pin
	d.window.pin = -1
	if d.err == nil || d.window.broken != nil {
		return d.err == nil
	}
	err, failed := d.err, d.failed
	d.err, d.pos, d.depth = nil, start, depth
	d.spans = d.spans[:spans]
	if d.skipNested(); d.err != nil {
		d.err, d.failed = err, failed
		return false
	}
	d.damaged(1, fmt.Errorf("%s: %w", what, err))
	return false
}

// damaged counts parts of the document that could not be read.
func (d *spanDecoder) damaged(count int, err error) {
	if d.badHere == 0 {
		d.firstBad = err
	}
	d.badHere += count
	d.badSpans += count
}

// errZipkin tells that an object is a span of Zipkin's.
var errZipkin = errors.New("a Zipkin span")

// contents is what was found in a document.
type contents struct {
	traces  bool
	others  bool // logs, metrics or profiles
	bare    bool // the document is one ResourceSpans
	answer  string
	shape   shape             // the fields that are not read
	refused error             // what it is, though a field of a known name is there
	from    *journey.Resource // of a bare ResourceSpans
}

// document reads TracesData, or one of the wrappings in which stores hand it out ({"result":…}, {"trace":…}, {"batches":[…]}), or
// one ResourceSpans, as some SDKs write it, or Jaeger's own JSON: {"data":[…]}, or one trace of it. What is wrong with the JSON
// is in d.err; the error returned says why there are no traces.
func (d *spanDecoder) document() error {
	before := len(d.spans)
	found := contents{shape: shape{}}
	d.fields(&found)
	switch {
	case found.refused != nil && len(d.spans) == before:
		return found.refused
	case found.answer != "":
		return &RefusedError{Input: d.where, Kind: fmt.Sprintf("not traces but an error: %.200q", found.answer)}
	case found.traces:
		return nil
	case found.others || len(found.shape) == 0:
		return errOtherSignal
	case isZipkin(found.shape):
		return errZipkin
	}
	return refuse(found.shape, d.where)
}

// fields reads those of a document, or of what is wrapped in one.
func (d *spanDecoder) fields(found *contents) {
	var trace jaegerTrace
	before := len(d.spans)
	d.object(func(key []byte) {
		d.field = string(key)
		if d.jaegerField(&trace, d.field) {
			found.shape.add(d.field)
			return
		}
		d.documentField(found)
	})
	found.traces = found.traces || trace.found
	d.finishTrace(&trace, found)
	if !found.bare || found.from == nil {
		return
	}
	service := describe(found.from)
	for i := range d.spans[before:] {
		if s := &d.spans[before+i]; s.Resource == nil {
			s.Service, s.Resource = service, found.from
		}
	}
}

func (d *spanDecoder) documentField(found *contents) {
	switch d.field {
	case "resourceSpans", "resource_spans", "batches":
		found.traces = true
		d.array(d.resourceSpans)
	case "scopeSpans", "scope_spans":
		found.traces, found.bare = true, true
		d.array(d.scopeSpans)
	case "resource":
		d.bareResource(found)
	case "result", "trace":
		d.wrapped(found, d.field)
	case "data":
		d.data(found)
	case "resourceLogs", "resourceMetrics", "resourceProfiles", "resource_logs", "resource_metrics", "resource_profiles":
		found.others = true
		d.skip()
	case "error": // of api/v3
		d.answer(found)
	case "errors": // of Jaeger's own JSON: a list, or null
		if d.peek() == '[' {
			d.array(func() { d.answer(found) })
		} else {
			d.skip()
		}
	default:
		found.shape.add(d.field)
		d.survey(found.shape, d.field, 1)
	}
}

// wrapped reads what a store puts around a document.
func (d *spanDecoder) wrapped(found *contents, field string) {
	if d.peek() != '{' {
		found.shape.add(field)
		d.skip()
		return
	}
	inner := contents{shape: shape{}}
	d.fields(&inner)
	found.traces = found.traces || inner.traces
	found.others = found.others || inner.others || len(inner.shape) == 0
	if inner.answer != "" {
		found.answer = inner.answer
	}
	if inner.refused != nil {
		found.refused = inner.refused
	}
	for path := range inner.shape {
		found.shape.add(field)
		found.shape.add(field + "." + path)
	}
}

// data reads what Jaeger's own JSON wraps traces in: a list of them, or one.
func (d *spanDecoder) data(found *contents) {
	switch d.peek() {
	case '{':
		d.jaegerTrace(found)
	case '[':
		items := 0
		d.array(func() {
			items++
			d.jaegerTrace(found)
		})
		found.traces = found.traces || items == 0
	default:
		found.shape.add("data")
		found.traces = d.null()
		if !found.traces {
			d.skip()
		}
	}
}

// bareResource reads the resource of a document that is one ResourceSpans. Other kinds have a field of that name, too.
func (d *spanDecoder) bareResource(found *contents) {
	found.shape.add("resource")
	d.peek()
	depth, resource := d.depth, &journey.Resource{}
	d.window.pin = d.pos
	d.resource(resource)
	start := d.window.pin
	d.window.pin = -1
	if d.err == nil {
		found.from = resource
		return
	}
	if d.window.broken == nil {
		d.err, d.pos, d.depth = nil, start, depth
		d.survey(found.shape, "resource", 1)
	}
}

// answer reads the message of an error.
func (d *spanDecoder) answer(found *contents) {
	if d.peek() != '{' {
		d.skip()
		return
	}
	d.object(func(key []byte) {
		switch string(key) {
		case "message", "msg":
			found.answer = d.string()
		default:
			d.skip()
		}
	})
}
