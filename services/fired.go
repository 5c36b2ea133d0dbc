package services

import (
	"maps"
	"math/bits"
	"slices"
	"sync"

	"tracelab/services/faults"
)

// firedFaults counts the orders on which faults have acted, by run, form and fault. The process keeps it: a killed service loses its memory, but the
// lab's measurements stay.
type firedFaults struct {
	mu    sync.Mutex
	runs  map[string]map[firedKey]*orderSet
	byAge []string
}

type firedKey struct {
	form  Form
	fault string
}

const (
	mostFired     = 1000 // counts of a run: few forms, few faults
	mostFiredRuns = 200  // runs; with more, the oldest run is forgotten
)

// note counts an order on which a fault acts. It counts the order once, however often the fault acts.
func (c *firedFaults) note(e Experiment, f faults.Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	run := c.runs[e.Run]
	if run == nil {
		if c.runs == nil {
			c.runs = map[string]map[firedKey]*orderSet{}
		}
		if len(c.byAge) >= mostFiredRuns {
			delete(c.runs, c.byAge[0])
			c.byAge = slices.Delete(c.byAge, 0, 1)
		}
		run = map[firedKey]*orderSet{}
		c.runs[e.Run] = run
		c.byAge = append(c.byAge, e.Run)
	}
	key := firedKey{e.Form, f.String()}
	if run[key] == nil {
		if len(run) >= mostFired {
			return
		}
		run[key] = &orderSet{}
	}
	run[key].add(e.Number)
}

// of is how many orders of a run each fault has acted on, by form.
func (c *firedFaults) of(run string) map[Form]map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := map[Form]map[string]int{}
	for key, set := range c.runs[run] {
		if counts[key.form] == nil {
			counts[key.form] = map[string]int{}
		}
		counts[key.form][key.fault] = set.size()
	}
	return counts
}

// addFired adds the counts of another process.
func addFired(to, from map[Form]map[string]int) map[Form]map[string]int {
	if to == nil {
		to = map[Form]map[string]int{}
	}
	for form, counts := range from {
		sum := maps.Clone(to[form])
		if sum == nil {
			sum = map[string]int{}
		}
		for fault, n := range counts {
			sum[fault] += n
		}
		to[form] = sum
	}
	return to
}

// orderSet is a set of order numbers. A number beyond mostNumbers is of no run that the lab makes and is left out.
type orderSet struct{ words []uint64 }

const mostNumbers = 1 << 20

func (s *orderSet) add(number int) {
	if number < 0 || number >= mostNumbers {
		return
	}
	for len(s.words) <= number/64 {
		s.words = append(s.words, 0)
	}
	s.words[number/64] |= 1 << (number % 64)
}

func (s *orderSet) size() int {
	n := 0
	for _, word := range s.words {
		n += bits.OnesCount64(word)
	}
	return n
}

// Fired is how many orders of a run each fault has acted on, by form, in the services of this process.
func (s *System) Fired(run string) map[Form]map[string]int { return s.fired.of(run) }
