package lab

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/services"
)

// measure takes an order's figures from its journey.
func (r *record) measure(found *journey.Journey) {
	r.warnings = found.Set().Warnings()
	r.reach = reachOf(found)
	measures := compare.Measures()
	r.values = make([]float64, len(measures))
	for i, m := range measures {
		value, ok := m.Of(found)
		if !ok {
			value = math.NaN()
		}
		r.values[i] = value
	}
}

// judged reports whether the order is in the figures.
func (r *record) judged() bool { return r != nil && r.placed && r.complete && r.Incomplete == "" }

// value returns one measure of an order, and false where it has none.
func (r *record) value(measure int) (float64, bool) {
	if !r.judged() || math.IsNaN(r.values[measure]) {
		return 0, false
	}
	return r.values[measure], true
}

// measureIndex returns the position of a measure by its name.
func measureIndex(name string) int {
	return slices.IndexFunc(compare.Measures(), func(m compare.Measure) bool { return m.Name == name })
}

// valuesOf returns a form's values of one measure, by order number.
func (j *judge) valuesOf(form services.Form, measure int) []float64 {
	var values []float64
	for _, r := range j.records[form] {
		if v, ok := r.value(measure); ok {
			values = append(values, v)
		}
	}
	return values
}

// summarize sums one measure of a form up; it is nil when no journey has it.
func (j *judge) summarize(form services.Form, name string) *compare.Summary {
	values := j.valuesOf(form, measureIndex(name))
	if len(values) == 0 {
		return nil
	}
	return new(compare.Summarize(values))
}

// formResult is a form's column of the table, without its accounts.
func (j *judge) formResult(form services.Form) *FormResult {
	f := &FormResult{Reach: &Reach{}, QueueWait: j.summarize(form, compare.QueueWait)}
	var response []float64 // ms, of every order that got an answer
	for _, r := range j.records[form] {
		if r == nil {
			continue
		}
		f.SpanCount += r.spans
		f.Traces += r.traces
		switch {
		case !r.placed:
		case r.judged():
			f.Journeys++
			f.Reach.add(r.reach)
		default:
			f.Incomplete++
		}
		if r.placed && r.Status != 0 {
			response = append(response, float64(r.Response)/1e6)
		}
	}
	f.Response = compare.Summarize(response)
	for name, to := range map[string]*compare.Summary{compare.CallerWait: &f.CallerWait, compare.Completion: &f.Completion, compare.Tail: &f.Tail} {
		if s := j.summarize(form, name); s != nil {
			*to = *s
		}
	}
	return f
}

// median is the order with the median completion, the lower of two, with its journey read back; nil without a journey. Time that was starved is no work there.
func (j *judge) median(form services.Form, starved []journey.Period) (*medianOrder, error) {
	completion := measureIndex(compare.Completion)
	list := slices.DeleteFunc(slices.Clone(j.records[form]), func(r *record) bool { return !r.judged() })
	if len(list) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(list, func(a, b *record) int { return cmp.Compare(a.values[completion], b.values[completion]) })
	middle := list[(len(list)-1)/2]
	found, why := j.journey(middle, journey.Starved(starved...))
	if found == nil {
		return nil, fmt.Errorf("the median %s of %s cannot be drawn: %s", j.unit, form, why)
	}
	return &medianOrder{middle.order, found, found.CompletionPath()}, nil
}

// compareForms compares every form with every one before it, order by order, base first.
func (j *judge) compareForms(base services.Form) (differences []compare.Difference, warnings []string) {
	differences = []compare.Difference{}
	forms := slices.DeleteFunc(baseFirst(j.forms, base), func(form services.Form) bool { return j.expect.flow.ViewOf(form) != nil }) // they do less
	for i, other := range forms {
		for _, base := range forms[:i] {
			list, warning := j.compareTwo(base, other)
			differences = append(differences, list...)
			if warning != "" {
				warnings = append(warnings, warning)
			}
		}
	}
	return differences, warnings
}

// compareTwo compares two forms in every measure that both have: pair by pair, or as a whole where no order is in both.
func (j *judge) compareTwo(base, other services.Form) (list []compare.Difference, warning string) {
	pairs, alone := 0, 0
	for number, b := range j.records[base] {
		switch o := j.records[other][number]; {
		case b.judged() && o.judged():
			pairs++
		case b.judged() || o.judged():
			alone++
		}
	}
	if pairs > 0 && alone > 0 {
		warning = fmt.Sprintf("%s and %s: %d journeys have no counterpart, and are in no difference", base, other, alone)
	}
	for m, measure := range compare.Measures() {
		b, o := j.valuesOf(base, m), j.valuesOf(other, m)
		differ := compare.Unpaired
		if pairs > 0 {
			b, o = j.pairsOf(base, other, m)
			differ = compare.Paired
		}
		if len(b) == 0 || len(o) == 0 {
			continue
		}
		d := differ(b, o)
		d.Base, d.Other, d.Measure = string(base), string(other), measure.Name
		list = append(list, d)
	}
	return list, warning
}

// pairsOf returns the values of the orders that have the measure in both forms.
func (j *judge) pairsOf(base, other services.Form, measure int) (b, o []float64) {
	for number, r := range j.records[base] {
		x, ok := r.value(measure)
		y, too := j.records[other][number].value(measure)
		if ok && too {
			b, o = append(b, x), append(o, y)
		}
	}
	return b, o
}

// baseFirst puts the form that the others are compared with in front, when it is there.
func baseFirst(forms []services.Form, base services.Form) []services.Form {
	ordered := slices.Clone(forms)
	if i := slices.Index(ordered, base); i > 0 {
		ordered = slices.Insert(slices.Delete(ordered, i, i+1), 0, base)
	}
	return ordered
}
