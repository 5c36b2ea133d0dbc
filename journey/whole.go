package journey

import (
	"fmt"
	"slices"
	"strings"
)

// Incomplete reports whether spans of the journey are missing, and how that is known; the figures of such a journey are too
// small. Any of these shows it: a parent is missing, other than the root's, whose upstream may not export (unless other spans
// like the root have their parents in the set); the target of a link is missing and no message led to the span; a group did
// not handle a message of a topic of which it handles at least one in twenty; a part of one of its traces was damaged (see
// Damaged); or the caller of NewSet knows (see Missing). The reason ends with the rule that finds it.
func (j *Journey) Incomplete() (reason string, ok bool) {
	if len(j.spans) == 0 {
		return "", false
	}
	s := j.set
	for _, t := range j.traces {
		if s.damaged[t] {
			return "a part of its trace was damaged, and skipped (D09)", true
		}
	}
	for _, why := range s.options.missing {
		if reason := why(j); reason != "" {
			return reason, true
		}
	}
	if len(s.findings) > 0 {
		for _, i := range mergeSorted(j.spans, j.unreached) {
			for _, f := range s.findingsOf(i) {
				if reason := j.missing(f); reason != "" {
					return reason, true
				}
			}
		}
	}
	if !s.expects {
		return "", false
	}
	for _, f := range j.FanOut() {
		if len(f.Missing) > 0 && !s.nodes[f.Producer].failed() {
			return fmt.Sprintf("%s was not handled by %s, though it is elsewhere (P05)", s.messageName(f.Producer), strings.Join(f.Missing, ", ")), true
		}
	}
	return "", false
}

// Damaged names traces of which a part could not be read: see source.Result.DamagedTraces. The journeys that reach them are
// incomplete.
func Damaged(traces ...TraceID) Option {
	return func(o *options) { o.damaged = append(o.damaged, traces...) }
}

// Missing tells of journeys of which the caller knows that spans are missing: why returns the reason, or "". Journey.Incomplete
// calls it.
func Missing(why func(*Journey) string) Option {
	return func(o *options) { o.missing = append(o.missing, why) }
}

// findDamaged notes the traces that are named as damaged, under the ids that their spans had.
func (s *Set) findDamaged() {
	if len(s.options.damaged) == 0 {
		return
	}
	named := make(map[TraceID]bool, len(s.options.damaged))
	for _, id := range s.options.damaged {
		named[id] = true
	}
	s.damaged = make(map[int32]bool)
	for i := range s.nodes {
		if n := &s.nodes[i]; named[s.spans[n.span].Trace] {
			s.damaged[n.trace] = true
		}
	}
}

// missing says which span of the journey is missing according to a finding, or returns "" when none is.
func (j *Journey) missing(f finding) string {
	s := j.set
	span := s.Span(f.span)
	switch {
	case f.rule == ruleOrphan && (f.span != j.root || s.parented[rootKind{s.nodes[f.span].service, span.Name}]):
		return fmt.Sprintf("the parent of %s of %s is missing (P01)", span.Name, span.ServiceName())
	case f.rule == ruleLinkTarget && s.nodes[f.span].is(isConsumer) && !j.isDelivered(f.span):
		return fmt.Sprintf("what %s of %s links to is missing (P04)", span.Name, span.ServiceName())
	}
	return ""
}

// isDelivered reports whether a message of the journey led to span i.
func (j *Journey) isDelivered(i Index) bool {
	return slices.ContainsFunc(j.set.edgesTo(i), func(e edge) bool { return e.class == ClassMessage && j.Contains(e.pred) })
}

// rootKind is the service and name of a span at which journeys start.
type rootKind struct {
	service int32
	name    string
}

// findParented finds which spans like an orphan have their parents in the set.
func (s *Set) findParented() {
	var asked []bool // by service: it has orphans
	for _, f := range s.findings {
		if f.rule == ruleOrphan {
			if s.parented == nil {
				s.parented, asked = make(map[rootKind]bool), make([]bool, s.resources.services.Len())
			}
			service := s.nodes[f.span].service
			s.parented[rootKind{service, s.Span(f.span).Name}], asked[service] = false, true
		}
	}
	open := len(s.parented)
	for i := 0; i < len(s.nodes) && open > 0; i++ {
		n := &s.nodes[i]
		if n.parent == none || !asked[n.service] {
			continue
		}
		key := rootKind{n.service, s.Span(Index(i)).Name}
		if found, is := s.parented[key]; is && !found {
			s.parented[key] = true
			open--
		}
	}
}

// messageName returns a message's name for people: its topic, or the name of the span that sent it.
func (s *Set) messageName(producer Index) string {
	if topic := s.Topic(producer); topic != "" {
		return topic
	}
	return "the message of " + s.Span(producer).Name
}

// Unreceived returns the spans of the journey that sent a message which nobody is seen to receive, in the set's order. Those
// that failed are left out: there may have been no message.
func (j *Journey) Unreceived() []Index {
	var list []Index
	for _, i := range j.spans {
		n := &j.set.nodes[i]
		if n.sends() && !n.failed() && !n.is(isConsumer) && !j.set.received(i) {
			list = append(list, i)
		}
	}
	return list
}

// received reports whether anybody is seen to have received what a span sent.
func (s *Set) received(producer Index) bool {
	for _, i := range s.effectsOf(producer) {
		if s.nodes[i].is(isConsumer) || slices.ContainsFunc(s.edgesTo(i), func(e edge) bool { return e.pred == producer && e.class == ClassMessage }) {
			return true
		}
	}
	return len(s.pollsOf(producer)) > 0
}

// pollsOf returns the polls that received a message of a producer that nobody handled.
func (s *Set) pollsOf(producer Index) []unhandled {
	lo, _ := slices.BinarySearchFunc(s.unhandled, producer, func(u unhandled, p Index) int { return int(u.producer) - int(p) })
	hi := lo
	for hi < len(s.unhandled) && s.unhandled[hi].producer == producer {
		hi++
	}
	return s.unhandled[lo:hi]
}

// UnreceivedTopics names what Unreceived lists, each once: the topics, or what sent it.
func (j *Journey) UnreceivedTopics() []string {
	var names []string
	for _, i := range j.Unreceived() {
		if name := j.set.messageName(i); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
