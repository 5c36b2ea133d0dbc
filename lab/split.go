package lab

import (
	"fmt"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/services"
)

// split moves every span of a batch to the order that it carries, or to the shared ones. Spans of other runs, and of this
// one's warm-up, belong nowhere. It returns the orders that got spans.
func (j *judge) split(traces ptrace.Traces) (touched []*record) {
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			touched = append(touched, j.splitScope(resource, scope)...)
		}
	}
	return touched
}

// splitScope moves the spans of one scope. Each destination gets the resource and scope once.
func (j *judge) splitScope(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans) (touched []*record) {
	into := map[*record]ptrace.SpanSlice{}
	for _, span := range scope.Spans().All() {
		if j.batches.isBatch(span) && j.isOurService(resource.Resource()) {
			touched = append(touched, j.addBatch(resource, scope, span)...)
			continue
		}
		r := j.destination(resource, scope, span)
		if r == nil {
			continue
		}
		slice, known := into[r]
		if !known {
			if r.unsaved == 0 {
				r.held = ptrace.NewTraces()
			}
			slice = copyScope(resource, scope, r.held)
			into[r] = slice
			touched = append(touched, r)
		}
		if r.complete {
			j.reopen(r)
		}
		if _, ok := span.Attributes().Get(services.KeyStep); ok {
			r.steps++
		}
		r.begun = r.begun || span.ParentSpanID().IsEmpty()
		j.shared.note(span)
		kind, id := span.Kind(), span.SpanID()
		span.MoveTo(slice.AppendEmpty())
		r.dirty = true
		r.spans++
		r.unsaved++
		j.held++
		j.noteSender(r, kind, id)
	}
	return touched
}

// copyScope adds an empty scope to traces, with the resource and the scope that its spans will be of.
func copyScope(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans, to ptrace.Traces) ptrace.SpanSlice {
	r := to.ResourceSpans().AppendEmpty()
	resource.Resource().CopyTo(r.Resource())
	r.SetSchemaUrl(resource.SchemaUrl())
	s := r.ScopeSpans().AppendEmpty()
	scope.Scope().CopyTo(s.Scope())
	s.SetSchemaUrl(scope.SchemaUrl())
	return s.Spans()
}

// destination is the order that a span goes to, or nil: then it is shared, foreign, or of another run.
func (j *judge) destination(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans, span ptrace.Span) *record {
	run, ok := span.Attributes().Get(services.KeyRun)
	if !ok {
		if j.isOurService(resource.Resource()) {
			j.shared.add(resource, scope, span)
		} else {
			j.foreign++
		}
		return nil
	}
	if run.Str() != j.run {
		if !strings.HasPrefix(run.Str(), j.run) { // not the warm-up of this run
			j.foreign++
		}
		return nil
	}
	form, hasForm := span.Attributes().Get(services.KeyForm)
	number, hasNumber := span.Attributes().Get(services.KeyNumber)
	if hasForm && hasNumber && form.Type() == pcommon.ValueTypeStr && number.Type() == pcommon.ValueTypeStr {
		if n, err := strconv.Atoi(number.Str()); err == nil {
			if r := j.find(orderKey{services.Form(form.Str()), n}); r != nil && r.spans < orderLimit {
				return r
			}
		}
	}
	j.foreign++
	return nil
}

// isOurService tells whether a resource is one of the services of the lab, or the client.
func (j *judge) isOurService(resource pcommon.Resource) bool {
	name, ok := resource.Attributes().Get("service.name")
	if !ok {
		return false
	}
	if name.Str() == clientName {
		return true
	}
	for _, service := range j.expect.flow.Services() {
		if service == name.Str() {
			return true
		}
	}
	return false
}

// spansOf returns the spans of an order: those that are held, and those that are in the run directory already.
func (j *judge) spansOf(r *record) ([]journey.Span, error) {
	var spans []journey.Span
	for _, at := range r.places {
		document, err := j.out.ReadAt(string(r.key.form), at)
		if err != nil {
			return nil, err
		}
		// Not source.Read: its buffers are for files, and there are thousands of these.
		read, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(document)
		if err != nil {
			return nil, fmt.Errorf("read back %s %d of %s: %w", j.unit, r.key.number, r.key.form, err)
		}
		spans = append(spans, source.FromTraces(read, "run directory")...)
	}
	if r.unsaved > 0 {
		spans = append(spans, source.FromTraces(r.held, "collected")...)
	}
	return r.withBatches(spans), nil
}

// save writes the spans of an order that are held, as one document, and lets them go.
func (j *judge) save(r *record) error {
	if r.unsaved == 0 {
		return nil
	}
	document, err := (&ptrace.JSONMarshaler{}).MarshalTraces(r.held)
	if err != nil {
		return fmt.Errorf("encode the spans of %s %d of %s: %w", j.unit, r.key.number, r.key.form, err)
	}
	place, err := j.out.Append(string(r.key.form), document)
	if err != nil {
		return err
	}
	r.places = append(r.places, place)
	j.held -= r.unsaved
	r.unsaved, r.held = 0, ptrace.Traces{}
	return nil
}

// spill writes spans of orders that are under way, the oldest first, until half of what may be held is left.
func (j *judge) spill() {
	for number := 0; j.held > j.limit/2; number++ {
		more := false
		for _, form := range j.forms {
			list := j.records[form]
			if number >= len(list) {
				continue
			}
			more = true
			if list[number] != nil {
				j.keepError(j.save(list[number]))
			}
		}
		if !more || j.err != nil {
			return
		}
	}
}

// countTraces counts the traces and services of an order whose journey was not measured.
func (j *judge) countTraces(r *record) error {
	spans, err := j.spansOf(r)
	if err != nil {
		return err
	}
	r.traces, r.seen = distinctTraces(spans), j.expect.servicesOf(spans)
	return nil
}

func distinctTraces(spans []journey.Span) int {
	seen := map[journey.TraceID]bool{}
	for _, s := range spans {
		seen[s.Trace] = true
	}
	return len(seen)
}
