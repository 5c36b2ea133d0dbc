package derive

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/services/flows"
)

// explain notes what is to be said about an operation.
func (t *table) explain(k *kind, s *step) {
	if k.most > 1 {
		s.notes = append(s.notes, fmt.Sprintf("up to %d times in a journey: here it is one step with all that work", k.most))
	}
	if k.via == viaMessage && len(k.parents) > 0 || k.via == viaCall {
		s.notes = append(s.notes, k.saysCarrier()...)
	}
	for _, topic := range sortedKeys(k.nobody) {
		s.notes = append(s.notes, "it sent messages to "+quoted(topic)+" that nobody is seen to receive: left out")
	}
}

// saysCarrier says where the carrier is not told, or is none that a flow knows, or is not the same in all journeys.
func (k *kind) saysCarrier() []string {
	var said []string
	bys := map[flows.Carrier]bool{}
	for c := range k.carriers {
		bys[c.by] = true
		switch {
		case c.said == "":
			said = append(said, fmt.Sprintf("the traces do not say what carries it: %s is taken", c.by))
		case c.said != string(c.by):
			said = append(said, fmt.Sprintf("%s carries it, which a flow does not know: %s in its place", quoted(c.said), c.by))
		}
	}
	if len(bys) > 1 {
		said = append(said, "it is not carried by the same in all journeys: the most frequent one is taken")
	}
	slices.Sort(said)
	return said
}

// guesses notes the orders that were seen and not taken for given, at the steps that would come later. It is called when steps have names.
func (t *table) guesses() {
	const most = 3 // at one step
	for _, s := range t.steps {
		if s.role != roleMain {
			continue
		}
		parent, n := s.of.up(), 0
		if parent == nil || len(s.of.parents) > 1 {
			continue
		}
		for _, g := range parent.guess {
			if g.b != s.of || n == most {
				continue
			}
			last := t.lastOf(g.a)
			if len(last) == 0 || slices.ContainsFunc(last, func(l *step) bool { return !slices.Contains(t.steps, l) || slices.Contains(s.after, l) }) {
				continue
			}
			n++
			why := fmt.Sprintf("too few to tell, from %d on it is taken for given", t.survey.atLeast)
			if g.kept < g.both {
				why = "not always, so they are side by side"
			}
			s.notes = append(s.notes, fmt.Sprintf("it began after %s had ended %d of %d times: %s", names(last), g.kept, g.both, why))
		}
	}
}

func names(steps []*step) string {
	const most = 4
	var list []string
	for _, s := range steps[:min(most, len(steps))] {
		list = append(list, string(s.name))
	}
	if len(steps) > most {
		list = append(list, fmt.Sprintf("%d more", len(steps)-most))
	}
	return strings.Join(list, ", ")
}

func sortedKeys(counts map[string]int) []string {
	const most = 5
	var list []string
	for word := range counts {
		list = append(list, word)
	}
	slices.Sort(list)
	return list[:min(most, len(list))]
}

// What a step may wait for at the most, and from how many journeys on its quantiles are told.
const (
	longestWait   = time.Minute
	leastQuantile = 20
)

// cost is what a step takes, as a flow says it: less what a run adds to each wait.
func (s *step) cost(late Lateness) string {
	costs := late.before(s.costs)
	at := func(share float64) time.Duration {
		d := time.Duration(quantile(costs, share)).Round(time.Microsecond)
		return min(max(d, time.Microsecond), longestWait)
	}
	middle := time.Duration(median(costs))
	if middle > longestWait {
		s.notes = append(s.notes, fmt.Sprintf("it took %v, and a step waits %v at the most", middle.Round(time.Millisecond), longestWait))
	}
	middle = min(middle, longestWait).Round(time.Microsecond)
	if middle < time.Microsecond {
		return "wait: 0s"
	}
	if len(s.costs) < leastQuantile {
		return fmt.Sprintf("wait: %v", middle)
	}
	p90, p99 := at(0.9), at(0.99)
	return fmt.Sprintf("quantiles: [%v, %v, %v]", middle, max(p90, middle), max(p99, p90, middle))
}
