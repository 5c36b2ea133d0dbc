// Package derive writes flows from traces: what services were seen to do for a unit, in which order, how long it took them, and what
// carried it. A person so runs a system of their own in other forms. What the traces do not tell stands in the file as a comment.
//
// operations.go finds the operations of one journey, survey.go those of all, order.go what comes after what, work.go what each took,
// rows.go makes steps of them, names.go gives them names that a flow may have, forms.go says what carried them, write.go writes the file.
package derive

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/services/flows"
)

// DefaultAtLeast is from how many observations on an order that was always kept is taken for given.
const DefaultAtLeast = 20

// Options say how a flow is derived. The zero value of a field is its default.
type Options struct {
	Name string // of the flow; "": from the root's name
	From string // where the traces come from, for the comment above the flow
	// About says more of that, a line each: what made the traces, and whether their times are to be doubted.
	About []string
	// AtLeast is how often B must be seen to begin after A had ended, and never otherwise, so that B comes after A; 0: DefaultAtLeast.
	AtLeast           int
	IncludeIncomplete bool // take journeys, too, of which spans are known to be missing
	// Late is how late the waits of a run end, see TimerLateness: what a step was seen to take holds it already, or is to be reached with it.
	Late Lateness
}

// Derived is a flow and what it was derived from.
type Derived struct {
	YAML       []byte
	Flow       *flows.Flow // that YAML says
	Root       compare.Root
	Journeys   int // that it is derived from
	Incomplete int // journeys of that root that were left out
	Others     int // journeys of other roots that were left out
	Notes      []string
}

// ErrNoJourney says that there is nothing to derive a flow from.
var ErrNoJourney = errors.New("there is no journey")

// IncompleteError says that spans are missing from all journeys.
type IncompleteError struct {
	Journeys int
	Reason   string // of the first
}

// Error counts them and names the first reason.
func (e *IncompleteError) Error() string {
	if e.Journeys == 1 {
		return "the journey is incomplete: " + e.Reason
	}
	return fmt.Sprintf("all %d journeys are incomplete: %s", e.Journeys, e.Reason)
}

// TooManyError says that a flow has no room for so many operations.
type TooManyError struct{ Operations int }

// Error names the ways out.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("%d different operations, and a flow has at most %d steps: choose journeys of one root, leave services out, or take ids out of the names of spans", e.Operations, flows.MaxSteps)
}

// From derives a flow from the journeys of one root: of several, the one with most journeys. The journeys must be of sets that nobody changes.
func From(journeys []*journey.Journey, o Options) (*Derived, error) {
	o.AtLeast = cmp.Or(o.AtLeast, DefaultAtLeast)
	d := &Derived{}
	chosen, err := d.choose(journeys, o)
	if err != nil {
		return nil, err
	}
	s := newSurvey(chosen, o.AtLeast)
	if s.count > flows.MaxSteps {
		return nil, &TooManyError{s.count}
	}
	if s.root == nil {
		return nil, ErrNoJourney
	}
	t := newTable(s)
	d.Notes = t.notes
	f := newFile(t, d, o)
	return d, f.write()
}

// choose picks the journeys of the most frequent root that are whole.
func (d *Derived) choose(journeys []*journey.Journey, o Options) ([]*journey.Journey, error) {
	byRoot := map[compare.Root][]*journey.Journey{}
	var roots []compare.Root
	reason, incomplete := "", map[compare.Root]int{}
	for _, j := range journeys {
		if _, ok := j.First(); !ok {
			continue
		}
		root := compare.RootOf(j)
		if why, ok := j.Incomplete(); ok && !o.IncludeIncomplete {
			incomplete[root]++
			reason = cmp.Or(reason, why)
			continue
		}
		if byRoot[root] == nil {
			roots = append(roots, root)
		}
		byRoot[root] = append(byRoot[root], j)
	}
	switch {
	case len(roots) == 0 && reason != "":
		return nil, &IncompleteError{len(journeys), reason}
	case len(roots) == 0:
		return nil, ErrNoJourney
	}
	slices.SortStableFunc(roots, func(a, b compare.Root) int { // pieces without a root come last
		return cmp.Or(compareBool(a == compare.Root{}, b == compare.Root{}), cmp.Compare(len(byRoot[b]), len(byRoot[a])))
	})
	d.Root, d.Journeys, d.Incomplete = roots[0], len(byRoot[roots[0]]), incomplete[roots[0]]
	for _, root := range roots[1:] {
		d.Others += len(byRoot[root]) + incomplete[root]
	}
	return byRoot[d.Root], nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
