package compare

import (
	"fmt"

	"tracelab/journey"
)

// StructureOf returns what Structure says of the tree of one journey: its signature, equal for equal trees wherever they are
// from, and how many different nodes it has. They are "" and 0 for a journey without spans.
func StructureOf(j *journey.Journey) (signature string, nodes int) {
	if j.Len() == 0 {
		return "", 0
	}
	_, trees := buildTrees([]Group{{Journeys: []*journey.Journey{j}, complete: true}})
	for s, shape := range trees[0].shapes {
		return fmt.Sprintf("%016x", s), len(shape.nodes)
	}
	return "", 0
}

// StepOf returns the service of a span, and its name as nodes have it: normalized, with the destination's template where the
// name has a destination that has one.
func StepOf(set *journey.Set, i journey.Index) (service, name string) {
	span := set.Span(i)
	return span.Service, NormalizeName(templated(span, set.Topic(i)))
}
