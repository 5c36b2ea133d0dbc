package lab

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/services"
)

// serviceSet is a set of services, one bit each, in the order of traced: a flow has at most 200, and the gateway and the client come on top.
type serviceSet [4]uint64

func (s *serviceSet) add(i int)     { s[i/64] |= 1 << (i % 64) }
func (s serviceSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// traced are the services whose spans a whole journey has.
func (e expectations) traced() []string { return append([]string{clientName}, e.flow.Services()...) }

// servicesOf is the set of services that made spans.
func (e expectations) servicesOf(spans []journey.Span) serviceSet {
	var set serviceSet
	for i, name := range e.traced() {
		if slices.ContainsFunc(spans, func(s journey.Span) bool { return s.Service == name }) {
			set.add(i)
		}
	}
	return set
}

// identifier is what makes two reasons differ that are of one kind: the ids of spans and traces.
var identifier = regexp.MustCompile(`\b[0-9a-f]{16}([0-9a-f]{16})?\b`)

// whyIncomplete sums up why journeys of a form, of those that are asked for, are incomplete: the kinds of reasons, the most frequent first, the
// services that no span came from, and what is known to have caused it; cause "" is for unknown.
func (j *judge) whyIncomplete(form services.Form, asked func(*record) bool, cause string) string {
	reasons := map[string]int{}
	lacking := make([]int, len(j.expect.traced()))
	incomplete := 0
	for _, r := range j.records[form] {
		if r == nil || !r.placed || r.Incomplete == "" || !asked(r) {
			continue
		}
		incomplete++
		reasons[identifier.ReplaceAllString(r.Incomplete, "…")]++
		for i := range lacking {
			if !r.seen.has(i) {
				lacking[i]++
			}
		}
	}
	text := mostFrequent(reasons, 5)
	var absent []string
	for i, name := range j.expect.traced() {
		if lacking[i] == incomplete && j.neverSeen(form, i) {
			absent = append(absent, name)
		}
	}
	if len(absent) > 0 && len(absent) < len(lacking) && reasons[unended] < incomplete { // spans that have not ended are not there yet
		text += fmt.Sprintf("; no span of %s at all", strings.Join(absent, ", "))
		if cause == "" {
			cause = "not reconnected to where its spans go?"
		}
	}
	if cause != "" {
		text += ": " + cause
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
		if broken && r.seen.has(service) {
			return false
		}
	}
	return broken
}
