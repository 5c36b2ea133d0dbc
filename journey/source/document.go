package source

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tracelab/journey"
)

// errOtherSignal tells that a document holds logs, metrics or profiles, or nothing.
var errOtherSignal = errors.New("no traces")

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
	bad        []error             // of spans that could not be read, up to maxListed
	badSpans   int                 // how many there are
}

// tryWhole appends the spans of one object to those that are there already. When the text is anything but one whole object of
// traces, none are appended.
func (d *spanDecoder) tryWhole(text []byte, where string) error {
	before := *d
	err := d.decode(bytes.Trim(text, " \t\r\n[],"), where)
	if err != nil {
		d.spans, d.notes, d.jaeger = d.spans[:len(before.spans)], d.notes[:len(before.notes)], before.jaeger
		d.bad, d.badSpans, d.repaired = d.bad[:len(before.bad)], before.badSpans, before.repaired
	}
	return err
}

// decode appends the spans of one object. When it fails, the spans before the damage are kept.
func (d *spanDecoder) decode(text []byte, where string) error {
	d.begin(text, where)
	err := d.document()
	if d.peek(); d.err == nil && d.pos < len(d.text) {
		d.fail("text after the object")
	}
	return d.damage(err)
}

// decodeLong appends the spans of one object of which the text is only the beginning. What it did not use of the text that
// it read is returned as rest.
func (d *spanDecoder) decodeLong(text []byte, where string, w window) (rest []byte, err error) {
	d.begin(text, where)
	d.window = w
	err = d.damage(d.document())
	return d.text[d.pos:], err
}

func (d *spanDecoder) begin(text []byte, where string) {
	d.text, d.pos, d.depth, d.field, d.err, d.where = text, 0, 0, "", nil, where
	d.window = window{pin: -1}
}

func (d *spanDecoder) damage(err error) error {
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
	if !d.skipDamaged() {
		d.err, d.failed = err, failed
		return false
	}
	if d.badSpans++; len(d.bad) < maxListed {
		d.bad = append(d.bad, fmt.Errorf("%s: %s: skipped: %w", d.where, what, err))
	}
	return false
}

// skipDamaged passes over a value by its brackets, and reports whether it ends before another document begins.
func (d *spanDecoder) skipDamaged() bool {
	if c := d.peek(); c != '{' && c != '[' {
		d.skip()
		return d.err == nil
	}
	for depth := 0; d.pos < len(d.text) || d.fill(&d.pos); d.pos++ {
		switch d.text[d.pos] {
		case '"':
			d.pos++
			n, ok := d.restOfString()
			if !ok {
				return false
			}
			d.pos += n
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				d.pos++
				return true
			}
		case '\n':
			for len(d.text)-d.pos <= longestKey && d.fill(&d.pos) {
			}
			if startsDocument(d.text[d.pos+1:]) {
				return false
			}
		}
	}
	return false
}

// contents is what was found in a document.
type contents struct {
	traces bool
	others bool // logs, metrics or profiles
	keys   []string
	answer string // a store's error
}

// document reads TracesData, or one of the wrappings in which Jaeger and others hand it out ({"result":…}, {"batches":[…]}),
// or Jaeger's own JSON: {"data":[…]}, or one trace of it. What is wrong with the JSON is in d.err; the error returned says
// why there are no traces.
func (d *spanDecoder) document() error {
	var found contents
	var trace jaegerTrace
	d.object(func(key []byte) {
		d.field = string(key)
		found.keys = append(found.keys, d.field)
		if d.jaegerField(&trace, d.field) {
			return
		}
		d.documentField(&found)
	})
	d.finishTrace(&trace)
	switch {
	case found.answer != "":
		return fmt.Errorf("not traces but an error: %.200q", found.answer)
	case found.traces || trace.found:
		return nil
	case found.others || len(found.keys) == 0:
		return errOtherSignal
	}
	slices.Sort(found.keys)
	return fmt.Errorf("no field resourceSpans, batches, result, data or spans, but %.60q", strings.Join(found.keys, ", "))
}

func (d *spanDecoder) documentField(found *contents) {
	switch d.field {
	case "resourceSpans", "resource_spans", "batches":
		found.traces = true
		d.array(d.resourceSpans)
	case "result":
		err := d.document()
		found.traces = found.traces || err == nil
		found.others = found.others || errors.Is(err, errOtherSignal)
	case "data":
		found.traces = true
		if d.peek() == '[' {
			d.array(d.jaegerTrace)
		} else {
			d.jaegerTrace()
		}
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
		d.skip()
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
