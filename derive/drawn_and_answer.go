package derive

import (
	"cmp"
	"fmt"
	"slices"
)

// Steps that not every journey has: a flow may have a few that are drawn.
const (
	mostDrawn   = 6
	everyShare  = 0.995 // from this share of the journeys on a step counts as one that all have
	seldomShare = 0.5   // below this one it is left out, when there is no room
)

// leaveOut decides about the steps that not every journey has.
func (t *table) leaveOut() {
	var drawn []*step
	for _, s := range t.steps[min(1, len(t.steps)):] {
		if s.share >= everyShare {
			s.share = 1
			continue
		}
		drawn = append(drawn, s)
	}
	slices.SortStableFunc(drawn, func(a, b *step) int { return cmp.Compare(median(b.costs)*b.share, median(a.costs)*a.share) })
	for i, s := range drawn {
		had := fmt.Sprintf("%d of %d journeys have it", s.of.journeys, t.survey.journeys)
		switch {
		case i < mostDrawn:
			s.notes = append(s.notes, had+": drawn by itself, whatever else a unit passes through")
		case s.share >= seldomShare:
			s.share = 1
			s.notes = append(s.notes, had+"; here all have it")
		default:
			t.remove(s)
			t.notes = append(t.notes, fmt.Sprintf("%s of %s is left out: %s", quoted(s.of.name), quoted(s.of.service), had))
		}
	}
	if len(t.steps) > 0 {
		t.steps[0].share = 1
	}
}

// remove takes a step out: what it led to comes after what led to it.
func (t *table) remove(gone *step) {
	t.steps = slices.DeleteFunc(t.steps, func(s *step) bool { return s == gone })
	for _, s := range t.steps {
		if i := slices.Index(s.after, gone); i >= 0 {
			s.after = unique(slices.Concat(s.after[:i], gone.after, s.after[i+1:]))
			slices.SortFunc(s.after, func(a, b *step) int { return cmp.Compare(slices.Index(t.steps, a), slices.Index(t.steps, b)) })
		}
	}
}

// findAnswer finds out when the client is answered: before calls that the entry's service made later, or when a message had come back.
func (t *table) findAnswer() {
	k := t.entry
	if len(k.seen) == 0 {
		return
	}
	if 2*k.waited > len(k.seen) {
		t.waits = true
		return
	}
	var late []*kind
	for _, kid := range k.kids {
		if k.late[kid] || kid.via == viaBehind {
			late = append(late, kid)
		}
	}
	if len(late) == 0 {
		return
	}
	before := orElse(t.after(k.ends()), t.steps[:1])
	before = slices.DeleteFunc(slices.Clone(before), func(s *step) bool { return s.share < 1 || !slices.Contains(t.steps, s) })
	if len(before) == 0 {
		before = t.steps[:1]
	}
	t.answer = before[len(before)-1]
	if len(before) > 1 {
		t.notes = append(t.notes, fmt.Sprintf("the answer came after %d steps side by side: here it comes after one of them", len(before)))
	}
}
