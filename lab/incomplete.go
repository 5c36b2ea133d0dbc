package lab

import (
	"fmt"
	"regexp"
	"strings"

	"tracelab/journey"
	"tracelab/services"
)

// serviceSet is a set of services, one bit each, in the order of tracedServices.
type serviceSet uint16

// tracedServices are the services whose spans every whole journey has.
func tracedServices() []string { return append([]string{clientName}, services.Names()...) }

// servicesOf is the set of services that made spans.
func servicesOf(spans []journey.Span) serviceSet {
	names := tracedServices()
	var set serviceSet
	for _, s := range spans {
		for i, name := range names {
			if s.Service == name {
				set |= 1 << i
			}
		}
	}
	return set
}

// identifier is what makes two reasons differ that are of one kind: the ids of spans and traces.
var identifier = regexp.MustCompile(`\b[0-9a-f]{16}([0-9a-f]{16})?\b`)

// whyIncomplete sums up why journeys of a form are incomplete: the kinds of reasons, the most frequent first, and the
// services that no span came from.
func (j *judge) whyIncomplete(form services.Form) string {
	reasons := map[string]int{}
	lacking := make([]int, len(tracedServices()))
	incomplete := 0
	for _, r := range j.records[form] {
		if r == nil || !r.placed || r.Incomplete == "" {
			continue
		}
		incomplete++
		reasons[identifier.ReplaceAllString(r.Incomplete, "…")]++
		for i := range lacking {
			if r.seen&(1<<i) == 0 {
				lacking[i]++
			}
		}
	}
	text := mostFrequent(reasons, 5)
	var absent []string
	for i, name := range tracedServices() {
		if lacking[i] == incomplete && j.neverSeen(form, i) {
			absent = append(absent, name)
		}
	}
	if len(absent) > 0 && len(absent) < len(lacking) {
		text += fmt.Sprintf("; no span of %s at all: not reconnected to where its spans go?", strings.Join(absent, ", "))
	}
	return text
}

// neverSeen tells whether no order after the first incomplete one has a span of a service: it has stopped to send them.
func (j *judge) neverSeen(form services.Form, service int) bool {
	broken := false
	for _, r := range j.records[form] {
		if r == nil || !r.placed {
			continue
		}
		broken = broken || r.Incomplete != ""
		if broken && r.seen&(1<<service) != 0 {
			return false
		}
	}
	return broken
}
