package lab

import (
	"slices"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/services"
)

// measures is what the complete journeys of one form tell.
type measures struct {
	group      compare.Group
	orders     []order // of the journeys in the group
	incomplete int
	why        string
	response   []float64 // ms, of every order that got an answer
}

// measure collects a form's journeys. Incomplete ones are counted and are in no figure.
func measure(form services.Form, verdicts []verdict) measures {
	m := measures{group: compare.Group{Name: string(form)}}
	var own []verdict
	for _, v := range verdicts {
		if v.order.Form != string(form) {
			continue
		}
		own = append(own, v)
		if v.order.Status != 0 {
			m.response = append(m.response, float64(v.order.Response)/1e6)
		}
		if v.order.Incomplete != "" {
			m.incomplete++
			continue
		}
		m.group.Journeys = append(m.group.Journeys, v.journey)
		m.orders = append(m.orders, v.order)
	}
	m.why = whyIncomplete(own)
	return m
}

// result is the form's column of the table.
func (m measures) result() *FormResult {
	described := compare.Describe(m.group)
	f := &FormResult{Journeys: len(m.group.Journeys), Incomplete: m.incomplete, Response: compare.Summarize(m.response), QueueWait: described.Of(compare.QueueWait)}
	for _, field := range []struct {
		to   *compare.Summary
		from *compare.Summary
	}{{&f.CallerWait, described.Of(compare.CallerWait)}, {&f.Completion, described.Of(compare.Completion)}, {&f.Tail, described.Of(compare.Tail)}} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	return f
}

// median is the order with the median completion, the lower of two; nil without a journey.
func (m measures) median() *medianOrder {
	if len(m.group.Journeys) == 0 {
		return nil
	}
	middle := journey.Median(m.group.Journeys)
	return &medianOrder{m.orders[slices.Index(m.group.Journeys, middle)], middle}
}

// baseFirst puts grpc, the plain call, in front: it is what the others are compared with when it is there.
func baseFirst(forms []services.Form) []services.Form {
	ordered := slices.Clone(forms)
	if i := slices.Index(ordered, services.GRPC); i > 0 {
		ordered = slices.Insert(slices.Delete(ordered, i, i+1), 0, services.GRPC)
	}
	return ordered
}

// compareForms compares every form with every one before it, order by order.
func compareForms(forms []services.Form, measured map[services.Form]measures) (differences []compare.Difference, warnings []string) {
	pairs := compare.WithPairs(compare.ByAttribute(services.KeyNumber))
	differences = []compare.Difference{}
	forms = baseFirst(forms)
	for i, other := range forms {
		for _, base := range forms[:i] {
			list, warning := compare.Differences(measured[base].group, measured[other].group, pairs)
			differences = append(differences, list...)
			if warning != "" {
				warnings = append(warnings, warning)
			}
		}
	}
	return differences, warnings
}
