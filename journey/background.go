package journey

import (
	"fmt"
	"slices"
	"strings"
)

// Background is work that a request started and did not wait for, streams and jobs, and that makes more than nine tenths of the
// completion: nothing else of the journey ended later.
type Background struct {
	Spans []Index // that began it: one where one alone makes so much, else all that were started so and outlive the first span
	Rest  Index   // the span that ends last without them and what they caused
}

// maxBackground bounds how many spans of such a length are looked at: each costs a look at the whole journey.
const maxBackground = 16

// Background returns the background work of the journey, and false when there is none.
func (j *Journey) Background() (Background, bool) {
	s := j.set
	if len(j.spans) == 0 || j.Completion() <= 0 {
		return Background{}, false
	}
	least := int64(j.Completion()) / 10 * 9
	first := s.nodes[j.first()].eff
	var started []Index
	for _, i := range j.spans {
		if i != j.first() && s.nodes[i].eff > first && j.isBackground(i) {
			started = append(started, i)
		}
	}
	looks, p := 0, newPather(j)
	for _, i := range started {
		n := &s.nodes[i]
		if n.eff-n.start <= least {
			continue
		}
		if rest := j.lastBeside(p.reach(i)); rest != none && s.nodes[rest].eff < n.eff && j.end-s.nodes[rest].eff > least {
			return Background{[]Index{i}, rest}, true
		}
		if looks++; looks == maxBackground {
			break
		}
	}
	return j.backgroundTogether(started, least)
}

// backgroundTogether returns the spans that began what was started, where all of it makes more of the completion than least.
func (j *Journey) backgroundTogether(started []Index, least int64) (Background, bool) {
	if len(started) < 2 {
		return Background{}, false
	}
	p := newPather(j)
	reached := p.reachAll(started)
	rest := j.lastBeside(reached)
	if rest == none || j.end-j.set.nodes[rest].eff <= least {
		return Background{}, false
	}
	within := func(e edge) bool {
		at, ok := j.position(e.pred)
		return ok && has(reached, at)
	}
	began := slices.DeleteFunc(slices.Clone(started), func(i Index) bool {
		return !slices.ContainsFunc(j.set.edgesTo(i), func(e edge) bool { return !within(e) })
	})
	return Background{j.withCircles(began, started), rest}, true
}

// withCircles adds to the spans that began what was started one of each circle of links, which has no beginning.
func (j *Journey) withCircles(began, started []Index) []Index {
	p := newPather(j)
	reached := p.reachAll(began)
	for _, i := range started {
		if at, ok := j.position(i); ok && !has(reached, at) {
			began = append(began, i)
			p.reachMore(reached, i)
		}
	}
	return began
}

// lastBeside returns the span that ends last of those that were not reached, or none.
func (j *Journey) lastBeside(reached []uint64) Index {
	last := none
	for at, k := range j.spans {
		if !has(reached, at) && (last == none || j.set.nodes[k].eff > j.set.nodes[last].eff) {
			last = k
		}
	}
	return last
}

// isBackground reports a span that was called or started, not one that handles a message.
func (j *Journey) isBackground(i Index) bool {
	edges := j.set.edgesTo(i)
	return len(edges) > 0 && !slices.ContainsFunc(edges, func(e edge) bool {
		switch e.class {
		case ClassCall, ClassDetachedAfter, ClassDetachedOverlap, ClassAbandoned:
			return false
		default:
			return true
		}
	})
}

// namedBackground is how many pieces of background work a note names at the most.
const namedBackground = 4

func (j *Journey) noteBackground(l *warningList) {
	b, ok := j.Background()
	if !ok {
		return
	}
	first, rest := j.set.Span(b.Spans[0]), j.set.Span(b.Rest).Name
	if len(b.Spans) == 1 {
		l.note(RuleBackground, first, "%s of %s alone makes more than nine tenths of the completion, and everything else had ended with %s; --without '%s' leaves it out",
			first.Name, first.ServiceName(), rest, Selector{first.Service, first.Name})
		return
	}
	var names, options []string
	for _, i := range b.Spans {
		span := j.set.Span(i)
		name, option := fmt.Sprintf("%s of %s", span.Name, span.ServiceName()), fmt.Sprintf("--without '%s'", Selector{span.Service, span.Name})
		if !slices.Contains(options, option) { // it selects all of that name
			names, options = append(names, name), append(options, option)
		}
	}
	if more := len(names) - namedBackground; more > 0 {
		names, options = append(names[:namedBackground], fmt.Sprintf("%d more", more)), append(options[:namedBackground], "…")
	}
	l.note(RuleBackground, first, "%s: %d pieces of work that nobody waited for make more than nine tenths of the completion, and everything else had ended with %s; %s leaves them out",
		strings.Join(names, ", "), len(b.Spans), rest, strings.Join(options, " "))
}
