package source

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"tracelab/journey"
)

// newSpan appends a span. The pointer is valid until the next span is appended.
func (d *spanDecoder) newSpan() *journey.Span {
	if len(d.spans) == cap(d.spans) {
		d.spans = slices.Grow(d.spans, d.progress.more(len(d.spans)))
	}
	d.spans = append(d.spans, journey.Span{Source: d.where})
	return &d.spans[len(d.spans)-1]
}

// errNoObject reports text that is not a JSON object.
var errNoObject = errors.New("no JSON object")

// spanDecoder reads JSON objects into spans; each may be in any of the JSON formats.
type spanDecoder struct {
	decoder
	where         string
	spans         []journey.Span
	attributes    []journey.Attribute // storage for those of several spans
	links         []journey.Link      // likewise
	refs          []reference         // of the current Jaeger span
	jaeger        int                 // spans that were read from Jaeger's own JSON
	notes         []journey.Warning   // of stores, about whole traces
	bad           []error             // why spans could not be read: one error for each document, up to maxListed
	badSpans      int                 // how many spans could not be read
	unlisted      int                 // how many of badSpans are in no error of bad
	damagedTraces []journey.TraceID   // of which something could not be read
	badHere       int                 // how many spans of the current document could not be read
	firstBad      error               // why the first of them could not be read
	zipkin        int                 // spans that were read from Zipkin's JSON

	strict bool                       // a span without ids or times is damaged
	reason func(count int, err error) // is told of each damaged part, when it is not nil

	progress        *progress
	zipkinResources map[zipkinEndpoint]*journey.Resource
}

// tryWhole appends the spans of one object. When the text is damaged, it appends none.
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
		d.damagedTraces = d.damagedTraces[:len(before.damagedTraces)]
	}
	return err
}

// decode appends the spans of one object. When it fails, the spans before the damage are kept.
func (d *spanDecoder) decode(text []byte, where string) error {
	d.begin(text, where)
	if d.zipkin > 0 && d.decodeZipkin() { // after one Zipkin span others are likely
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

// decodeZipkin appends one span, and reports whether the text is exactly one whole Zipkin span.
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

// decodeLong appends the spans of one object of which text is only the beginning, and w reads on. rest is what it read and
// did not use.
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

// guarded reads one part of a document, such as a span, and reports whether it could be read. Damage in it costs no other
// part, as long as its end can be found.
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
	known := len(d.damagedTraces)
	d.damagedTraces = appendTraces(d.damagedTraces, d.text[start:d.pos])
	d.err, d.pos, d.depth = nil, start, depth
	d.spans = d.spans[:spans]
	if d.skipNested(); d.err != nil {
		d.err, d.failed = err, failed
		return false
	}
	if len(d.damagedTraces) == known && d.window.more == nil { // the id comes behind the damage
		d.damagedTraces = appendTraces(d.damagedTraces, d.text[start:d.pos])
	}
	d.damaged(1, fmt.Errorf("%s: %w", what, err))
	return false
}

// damaged records parts of the document that could not be read.
func (d *spanDecoder) damaged(count int, err error) {
	if d.badHere == 0 {
		d.firstBad = err
	}
	d.badHere += count
	d.badSpans += count
	if d.reason != nil {
		d.reason(count, err)
	}
}
