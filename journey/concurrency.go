package journey

import (
	"cmp"
	"slices"
)

// moment is a change of how many spans are at work.
type moment struct {
	at    int64
	delta int
}

// Concurrency returns how many spans of the journey were at work at a time: the mean over the time in which any was, and
// the greatest number. A span is at work while none of its calls is, so a purely sequential chain has exactly 1 of both.
// Without any work it returns 0 of both. O(n log n).
func (j *Journey) Concurrency() (mean float64, most int) {
	var moments []moment
	for _, i := range j.spans {
		moments = j.set.selfWork(moments, i)
	}
	// At the same moment ends come before beginnings: what follows directly is not side by side.
	slices.SortFunc(moments, func(a, b moment) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.delta, b.delta)) })
	var busy, active float64
	for k, level := 0, 0; k < len(moments); k++ {
		if k > 0 && level > 0 {
			length := float64(moments[k].at - moments[k-1].at)
			busy += length * float64(level)
			active += length
		}
		level += moments[k].delta
		most = max(most, level)
	}
	if active == 0 {
		return 0, 0
	}
	return busy / active, most
}

// selfWork adds the intervals in which span i is at work itself: up to its effective end, less the union of its calls.
func (s *Set) selfWork(moments []moment, i Index) []moment {
	n := &s.nodes[i]
	t := n.eff // calls come with the latest end first
	add := func(from, to int64) {
		if from < to {
			moments = append(moments, moment{from, 1}, moment{to, -1})
		}
	}
	for _, c := range s.callsOf(i) {
		call := &s.nodes[c]
		if call.eff <= call.start {
			continue
		}
		add(max(call.eff, n.start), t)
		t = min(t, call.start)
	}
	add(n.start, t)
	return moments
}
