package source

import (
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
}

// decode appends the spans of one object to those that are there already. When it fails none are appended.
func (d *spanDecoder) decode(text []byte, where string) error {
	spans, notes, jaeger := len(d.spans), len(d.notes), d.jaeger
	d.text, d.pos, d.depth, d.field, d.err, d.where = text, 0, 0, "", nil, where
	err := d.document()
	if d.peek(); d.err == nil && d.pos < len(d.text) {
		d.fail("text after the object")
	}
	if d.err != nil {
		err = fmt.Errorf("not a JSON document of traces: %w", d.err)
	}
	if err != nil {
		d.spans, d.notes, d.jaeger = d.spans[:spans], d.notes[:notes], jaeger
	}
	return err
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
