package journey

import (
	"cmp"
	"iter"
	"slices"
	"time"
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
		for from, to := range j.set.selfWork(i) {
			moments = append(moments, moment{from, 1}, moment{to, -1})
		}
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

// selfWork yields the intervals in which span i is at work itself, the latest first: up to its effective end, less the union
// of its calls and of the times in which it waited for a reply.
func (s *Set) selfWork(i Index) iter.Seq2[int64, int64] {
	return func(yield func(from, to int64) bool) {
		n := &s.nodes[i]
		t := n.eff // calls come with the latest end first
		for _, c := range s.callsOf(i) {
			call := s.interval(c)
			if call.end <= call.start {
				continue
			}
			if from := max(call.end, n.start); from < t && !yield(from, t) {
				return
			}
			t = min(t, call.start)
		}
		if n.start < t {
			yield(n.start, t)
		}
	}
}

// SelfTime returns how long span i was at work itself: up to its effective end, less the union of its calls.
func (s *Set) SelfTime(i Index) time.Duration {
	if i < 0 || int(i) >= s.Len() {
		return 0
	}
	var sum int64
	for from, to := range s.selfWork(i) {
		sum += to - from
	}
	return time.Duration(sum)
}
