package lab

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/services"
)

// sorted are the spans of a run by the file that they belong to: "shared" or a form, and there one document an order.
type sorted struct {
	run    string
	own    map[pcommon.SpanID]bool // of the run's orders
	forms  map[services.Form]map[int]ptrace.Traces
	shared ptrace.Traces
	counts map[services.Form]*formCount
}

type formCount struct {
	spans  int
	traces map[pcommon.TraceID]bool
}

// sortSpans takes every span of the batches to the order that it carries. Spans of other runs, and of this one's warm-up,
// belong nowhere, and neither do the polls that served only those; other spans that carry no order are shared.
func sortSpans(batches [][]byte, run string) (sorted, error) {
	s := sorted{run: run, own: map[pcommon.SpanID]bool{}, forms: map[services.Form]map[int]ptrace.Traces{},
		shared: ptrace.NewTraces(), counts: map[services.Form]*formCount{}}
	decoded := make([]ptrace.Traces, len(batches))
	for i, batch := range batches {
		var err error
		if decoded[i], err = decode(batch); err != nil {
			return s, err
		}
		eachScope(decoded[i], func(_ ptrace.ResourceSpans, scope ptrace.ScopeSpans) { s.note(scope) })
	}
	for _, traces := range decoded {
		eachScope(traces, s.scope)
	}
	return s, nil
}

func eachScope(traces ptrace.Traces, do func(ptrace.ResourceSpans, ptrace.ScopeSpans)) {
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			do(resource, scope)
		}
	}
}

// note keeps the ids of the spans that carry an order of the run.
func (s *sorted) note(scope ptrace.ScopeSpans) {
	for _, span := range scope.Spans().All() {
		if of, ok := span.Attributes().Get(services.KeyRun); ok && of.Str() == s.run {
			s.own[span.SpanID()] = true
		}
	}
}

// servedOthers tells whether a span that carries no order has links, and all of them lead out of the run.
func (s *sorted) servedOthers(span ptrace.Span) bool {
	for _, link := range span.Links().All() {
		if s.own[link.SpanID()] {
			return false
		}
	}
	return span.Links().Len() > 0
}

// scope sorts the spans of one scope. Each destination gets the resource and scope once.
func (s *sorted) scope(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans) {
	into := map[ptrace.Traces]ptrace.SpanSlice{}
	for _, span := range scope.Spans().All() {
		to, ok := s.destination(span)
		if !ok {
			continue
		}
		slice, known := into[to]
		if !known {
			r := to.ResourceSpans().AppendEmpty()
			resource.Resource().CopyTo(r.Resource())
			r.SetSchemaUrl(resource.SchemaUrl())
			sc := r.ScopeSpans().AppendEmpty()
			scope.Scope().CopyTo(sc.Scope())
			sc.SetSchemaUrl(scope.SchemaUrl())
			slice = sc.Spans()
			into[to] = slice
		}
		span.CopyTo(slice.AppendEmpty())
	}
}

func (s *sorted) destination(span ptrace.Span) (ptrace.Traces, bool) {
	of, ok := span.Attributes().Get(services.KeyRun)
	if !ok {
		return s.shared, !s.servedOthers(span)
	}
	if of.Str() != s.run {
		return s.shared, false
	}
	form, hasForm := span.Attributes().Get(services.KeyForm)
	number, hasNumber := span.Attributes().Get(services.KeyNumber)
	if !hasForm || !hasNumber {
		return s.shared, false // not a run of ours
	}
	n, err := strconv.Atoi(number.Str())
	f, unknown := services.ParseForm(form.Str()) // it becomes the name of a file
	if err != nil || unknown != nil {
		return s.shared, false // likewise
	}
	if s.forms[f] == nil {
		s.forms[f] = map[int]ptrace.Traces{}
		s.counts[f] = &formCount{traces: map[pcommon.TraceID]bool{}}
	}
	if _, ok := s.forms[f][n]; !ok {
		s.forms[f][n] = ptrace.NewTraces()
	}
	s.counts[f].spans++
	s.counts[f].traces[span.TraceID()] = true
	return s.forms[f][n], true
}
