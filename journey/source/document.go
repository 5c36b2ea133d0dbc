package source

import (
	"errors"
	"fmt"

	"tracelab/journey"
)

// errOtherSignal reports a document of logs, metrics or profiles, or an empty one.
var errOtherSignal = errors.New("no traces")

// errZipkin reports an object that is a Zipkin span.
var errZipkin = errors.New("a Zipkin span")

// contents is what was found in a document.
type contents struct {
	traces  bool
	others  bool // logs, metrics or profiles
	bare    bool // the document is one ResourceSpans
	answer  string
	shape   shape             // the fields that are not read
	refused error             // why it is another kind of document, though it has a field that is read
	from    *journey.Resource // of a bare ResourceSpans
}

// document reads TracesData, also wrapped as stores return it ({"result":…}, {"trace":…}, {"batches":[…]}), one ResourceSpans, as
// some SDKs write it, or Jaeger's own JSON: {"data":[…]}, or one trace of it. d.err says what is wrong with the JSON; the error
// returned says why there are no traces.
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

// fields reads the fields of a document, or of an object that is wrapped in one.
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

// wrapped reads a document inside a field of a store's answer.
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

// data reads the field data of Jaeger's own JSON: a list of traces, or one.
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

// bareResource reads the resource of a document that is one ResourceSpans. Documents of other kinds may have a field of that
// name, too.
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
