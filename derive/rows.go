package derive

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tracelab/services/flows"
)

// step is a row of the flow that is being made.
type step struct {
	of      *kind
	role    role
	name    flows.Step
	after   []*step
	costs   []float64 // of the journeys that have it, in nanoseconds
	carrier flows.Carrier
	topic   string  // as the traces have it; "" where no message led to it
	share   float64 // of the journeys that have it
	notes   []string
}

// role is which part of an operation's work a step is.
type role uint8

const (
	roleMain role = iota // what it did first, and all that has no step of its own
	roleNext             // between two of its calls
	roleEnd              // after the last of them
)

// table is the flow that is being made.
type table struct {
	survey *survey
	entry  *kind
	steps  []*step // each after those that lead to it
	notes  []string
	answer *step // behind which the client is answered, when work goes on afterwards
	waits  bool  // the client is answered when messages have come back
	nested bool  // who was called went on calling
	pieces map[*kind]*pieces
}

// A part of an operation's work is a step of its own when it is a good part of it.
const (
	ownShare  = 0.1
	ownLength = float64(50 * time.Microsecond)
)

// newTable makes steps of a survey.
func newTable(s *survey) *table {
	t := &table{survey: s, entry: s.entry(), pieces: map[*kind]*pieces{}}
	t.prepare(t.entry, map[*kind]bool{})
	t.build(t.entry, nil)
	t.buildJoins()
	t.sort()
	t.leaveOut()
	t.findAnswer()
	if s.untied > 0 {
		t.notes = append(t.notes, fmt.Sprintf("in %d journeys a message came back while its sender was open, and no conversation id ties them: waiting for it may be in the sender's wait", s.untied))
	}
	return t
}

// prepare works out order and work of a kind and all below it.
func (t *table) prepare(k *kind, known map[*kind]bool) {
	if known[k] {
		return
	}
	known[k] = true
	k.findOrder(t.survey.atLeast)
	for _, kid := range k.kids {
		t.prepare(kid, known)
	}
}

// build makes the steps of an operation that comes after others.
func (t *table) build(k *kind, base []*step) {
	if k.base != nil || len(k.rows) > 0 {
		return
	}
	k.base = base
	w := t.workOf(k)
	before := base
	if !k.transparent(t.entry) {
		main := t.add(k, roleMain, base, w.main)
		before = []*step{main}
		t.explain(k, main)
	}
	for _, kid := range k.kidsInOrder() {
		after := before
		if needs := k.needs[kid]; len(needs) > 0 {
			after = t.after(needs)
		}
		if g := w.gaps[k.needsKey(kid)]; g != nil && (g.own || t.meetsFirst(k, kid, after)) {
			if g.made == nil {
				g.made = t.add(k, roleNext, after, g.costs)
			}
			after = []*step{g.made}
		}
		t.lead(k, kid, after)
	}
	if w.end != nil {
		t.add(k, roleEnd, orElse(t.after(k.ends()), before), w.end)
	}
}

// meetsFirst tells whether branches must meet in the entry's service before another one goes on: no other service joins messages.
func (t *table) meetsFirst(k, kid *kind, after []*step) bool {
	return len(after) > 1 && k.service == t.entry.service && kid.service != k.service
}

// lead lets steps lead to an operation.
func (t *table) lead(k, kid *kind, after []*step) {
	if len(kid.parents) > 1 { // it is made when all that leads to it is known
		kid.joined = append(kid.joined, after...)
		return
	}
	if kid.via == viaCall && k != t.entry && k.via == viaCall {
		t.nested = true
	}
	t.build(kid, after)
}

// buildJoins makes the steps of the operations in which messages of several others meet.
func (t *table) buildJoins() {
	for {
		var next *kind
		for _, join := range t.survey.joins {
			if len(join.joined) > 0 && len(join.rows) == 0 && join.base == nil && (next == nil || next.name > join.name) {
				next = join
			}
		}
		if next == nil {
			return
		}
		n := len(t.steps)
		t.build(next, unique(next.joined))
		for _, s := range t.steps[n:min(n+1, len(t.steps))] {
			s.notes = append(s.notes, "messages of several steps lead to it: it is done once, when the last has come")
		}
	}
}

// transparent tells whether an operation is no step itself: all its work is steps of the lab, or it only carries on with calls.
func (k *kind) transparent(entry *kind) bool {
	return k.steps() && (k != entry || k.main != nil) || k.via == viaBehind && len(k.kids) > 0 && k.total() < ownLength
}

// kidsInOrder lists what the operation led to, each after what it needs.
func (k *kind) kidsInOrder() []*kind {
	var list []*kind
	rest := slices.Clone(k.kids)
	for len(rest) > 0 {
		i := slices.IndexFunc(rest, func(kid *kind) bool {
			return !slices.ContainsFunc(k.needs[kid], func(n *kind) bool { return slices.Contains(rest, n) })
		})
		if i < 0 { // a circle of orders of different journeys
			k.needs[rest[0]] = nil
			continue
		}
		list = append(list, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return list
}

// after lists the steps that are the last of some operations.
func (t *table) after(kinds []*kind) []*step {
	var list []*step
	for _, k := range kinds {
		list = append(list, t.lastOf(k)...)
	}
	return unique(list)
}

// lastOf lists the steps with which an operation ended.
func (t *table) lastOf(k *kind) []*step {
	if i := slices.IndexFunc(k.rows, func(s *step) bool { return s.role == roleEnd }); i >= 0 {
		return k.rows[i : i+1]
	}
	if last := t.after(k.ends()); len(last) > 0 {
		return last
	}
	if len(k.rows) > 0 {
		return k.rows[:1]
	}
	return k.base
}

// add makes a step.
func (t *table) add(k *kind, r role, after []*step, costs []float64) *step {
	s := &step{of: k, role: r, after: unique(after), costs: costs, carrier: k.carrier(), share: 1}
	if t.survey.journeys > 0 {
		s.share = float64(k.journeys) / float64(t.survey.journeys)
	}
	if r == roleMain && k.via == viaMessage {
		s.topic = most(k.topics)
	}
	if up := k.up(); r == roleMain && k.via == viaOwn && up != nil && up.via == viaMessage {
		s.topic = most(up.topics)
	}
	k.rows = append(k.rows, s)
	t.steps = append(t.steps, s)
	return s
}

// up is the operation that the kind is a step of.
func (k *kind) up() *kind {
	if len(k.parents) == 0 {
		return nil
	}
	return k.parents[0]
}

// carrier is what took most hops to an operation; a step of the lab is carried as the operation that it is a part of.
func (k *kind) carrier() flows.Carrier {
	for k.via == viaOwn || k.via == viaBehind {
		if k.up() == nil {
			break
		}
		k = k.up()
	}
	best, all := carrier{by: flows.RPC}, 0
	for c, n := range k.carriers {
		all += n
		if n > k.carriers[best] || n == k.carriers[best] && c.by < best.by {
			best = c
		}
	}
	return best.by
}

// sort puts each step behind those that lead to it. Where orders of different journeys make a circle, one of them is given up.
func (t *table) sort() {
	var list []*step
	rest := slices.Clone(t.steps)
	done := map[*step]bool{}
	for len(rest) > 0 {
		i := slices.IndexFunc(rest, func(s *step) bool {
			return !slices.ContainsFunc(s.after, func(a *step) bool { return !done[a] })
		})
		if i < 0 {
			i = 0
			rest[0].after = slices.DeleteFunc(rest[0].after, func(a *step) bool { return !done[a] })
			if len(rest[0].after) == 0 && len(list) > 0 {
				rest[0].after = list[:1:1]
			}
			rest[0].notes = append(rest[0].notes, "what it comes after is a circle in the traces: a part of it is left out")
		}
		done[rest[i]] = true
		list = append(list, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	t.steps = list
	for i, s := range t.steps {
		if i > 0 && len(s.after) == 0 { // nothing is seen to lead to it
			s.after = t.steps[:1:1]
		}
		slices.SortFunc(s.after, func(a, b *step) int { return cmp.Compare(slices.Index(t.steps, a), slices.Index(t.steps, b)) })
	}
}

// unique drops what is there before.
func unique(steps []*step) []*step {
	var list []*step
	for _, s := range steps {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func orElse(a, b []*step) []*step {
	if len(a) > 0 {
		return a
	}
	return b
}

// most is the word that was counted most often.
func most(counts map[string]int) string {
	best := ""
	for word, n := range counts {
		if n > counts[best] || n == counts[best] && (best == "" || word < best) {
			best = word
		}
	}
	return best
}
