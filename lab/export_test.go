package lab

import (
	"tracelab/compare"
	"tracelab/services"
)

// MedianJourney is the journey that the report draws for a form, as it is in memory.
func (r *Result) MedianJourney(form services.Form) *compare.Journey { return r.paths[form].journey }

// SpansOf is how many spans of a collector belong to the orders of a run, by form, and how many to several or none.
func SpansOf(collector *Collector, run string) (forms map[services.Form]int, shared int, err error) {
	spans, err := sortSpans(collector, run)
	forms = map[services.Form]int{}
	for form, count := range spans.counts {
		forms[form] = count.spans
	}
	return forms, spans.shared.SpanCount(), err
}
