package journey

import "time"

// Detached returns how long spans of the journey lasted after the root had ended: the sum over all of them, and the length
// of the union of their intervals. It returns false for a rootless journey.
func (j *Journey) Detached() (sum, union time.Duration, ok bool) {
	if !j.rooted() {
		return 0, 0, false
	}
	from := j.set.nodes[j.root].end
	covered := from
	for _, i := range j.spans {
		n := &j.set.nodes[i]
		if n.eff <= max(n.start, from) { // over, or called when its caller's own caller had ended already: it counts nothing
			continue
		}
		sum += time.Duration(n.eff - max(n.start, from))
		if n.eff > covered {
			union += time.Duration(n.eff - max(n.start, covered))
			covered = n.eff
		}
	}
	return sum, union, true
}

// Waits returns the sum of the waits on a path, but for those of ClassStarved: they are of the machine, not of the journey.
func Waits(path []Segment) time.Duration {
	var sum time.Duration
	for _, g := range path {
		if g.Wait && g.Class != ClassStarved {
			sum += g.Duration()
		}
	}
	return sum
}

// AsyncShare returns the share of the completion that its path spends in waits, from 0 to 1. Time that was starved is none.
func (j *Journey) AsyncShare() float64 {
	if j.Completion() == 0 {
		return 0
	}
	return float64(Waits(j.CompletionPath())) / float64(j.Completion())
}

// Errors groups the spans of a journey by the part that they have in errors. Only the status of spans counts.
type Errors struct {
	Own        []Index // failed, and none of its calls did
	Propagated []Index // failed, and so did one of its calls
	Absorbed   []Index // did not fail, though one of its calls did
	Silent     bool    // something failed, but not the root: its caller does not know
}

// Errors returns the errors of the journey. They do not travel back over messages, hence Silent; a rootless journey has
// no caller to be silent to.
func (j *Journey) Errors() Errors {
	var e Errors
	s := j.set
	for _, i := range j.spans {
		failed, callFailed := s.nodes[i].is(hasErrorStatus), s.callFailed(i)
		switch {
		case failed && callFailed:
			e.Propagated = append(e.Propagated, i)
		case failed:
			e.Own = append(e.Own, i)
		case callFailed:
			e.Absorbed = append(e.Absorbed, i)
		}
	}
	e.Silent = j.rooted() && len(e.Own)+len(e.Propagated) > 0 && !s.nodes[j.root].is(hasErrorStatus)
	return e
}

func (s *Set) callFailed(i Index) bool {
	for _, c := range s.callsOf(i) {
		if c >= 0 && s.nodes[c].is(hasErrorStatus) {
			return true
		}
	}
	return false
}
