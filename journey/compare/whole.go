package compare

import (
	"cmp"
	"fmt"
	"slices"

	"tracelab/journey"
)

// WithIncomplete takes incomplete journeys into all figures: those of which spans are known to be missing. Without it they are
// counted, and in no figure. See journey.Journey.Incomplete.
func WithIncomplete() Option { return func(o *options) { o.incomplete = true } }

// IncompleteReason is why journeys of a group are in no figure.
type IncompleteReason struct {
	Reason   string `json:"reason"`
	Journeys int    `json:"journeys"`
	Example  string `json:"example"` // the first trace of one of them
}

// Whole takes the incomplete journeys out of a group, and tells why, the most frequent reason first. A Baseline is returned as
// it is.
func (g Group) Whole() (whole Group, left []IncompleteReason) {
	whole = g.whole()
	return whole, whole.leftOut()
}

// leftOut are journeys of one root that are in no figure for one reason.
type leftOut struct {
	root Root
	IncompleteReason
}

func (g Group) whole() Group {
	if g.Baseline != nil {
		return g
	}
	type key struct {
		root   Root
		reason string
	}
	at := make(map[key]int)
	var left []leftOut
	whole := g.Keep(func(j *journey.Journey) bool {
		reason, incomplete := j.Incomplete()
		if !incomplete {
			return true
		}
		k := key{RootOf(j), reason}
		i, ok := at[k]
		if !ok {
			i = len(left)
			at[k] = i
			left = append(left, leftOut{k.root, IncompleteReason{Reason: reason, Example: exampleTrace(j)}})
		}
		left[i].Journeys++
		return false
	})
	whole.left = left
	return whole
}

// leftOut joins the reasons of all roots.
func (g Group) leftOut() []IncompleteReason {
	if g.Baseline != nil {
		return g.Baseline.leftOut()
	}
	var list []IncompleteReason
	at := make(map[string]int)
	for _, x := range g.left {
		i, ok := at[x.Reason]
		if !ok {
			at[x.Reason] = len(list)
			list = append(list, x.IncompleteReason)
			continue
		}
		list[i].Journeys += x.Journeys
	}
	slices.SortStableFunc(list, func(a, b IncompleteReason) int { return cmp.Compare(b.Journeys, a.Journeys) })
	return list
}

// take makes groups ready to be compared: without incomplete journeys unless these are asked for, and with what is known of how
// the journeys were sampled.
func (o options) take(groups []Group) []Group {
	list := make([]Group, len(groups))
	for i, g := range groups {
		if whole := g.whole(); !o.incomplete {
			g = whole
		} else {
			g.taken = countLeftOut(whole.leftOut())
		}
		g.complete = !o.incomplete
		g.sampling = journey.SamplingOf(g.Journeys)
		list[i] = g.weigh()
	}
	return list
}

// weigh notes how many journeys each of the group's stands for, and whether there can be intervals.
func (g Group) weigh() Group {
	if b := g.Baseline; b != nil {
		g.weights, g.noInterval = b.weights(), b.noInterval()
		return g
	}
	g.weights, g.each = nil, 1
	if g.sampling.Differ {
		g.weights = journey.Weights(g.Journeys)
	}
	if len(g.Journeys) > 0 && g.weights == nil {
		g.each, _ = g.Journeys[0].Weight()
	}
	zero := len(g.Journeys) > 0 && g.weights == nil && g.each == 0
	g.noInterval, _ = journey.Sampling{Weighted: g.sampling.Weighted, Differ: g.weights != nil, Zero: zero, Tail: g.sampling.Tail}.NoInterval()
	return g
}

// weight returns how many journeys journey i stands for among those of the group, where it is 1 when all stand for none.
func (g Group) weight(i int) float64 {
	if g.weights != nil {
		return g.weights[i]
	}
	return max(1, g.each)
}

// weightOfAll returns how many journeys those of the group stand for.
func (g Group) weightOfAll() float64 {
	if g.Baseline != nil {
		sum := 0.0
		for i := range g.Baseline.Roots {
			sum += g.Baseline.Roots[i].weight()
		}
		return sum
	}
	if g.weights == nil {
		return float64(len(g.Journeys)) * g.each
	}
	sum := 0.0
	for _, w := range g.weights {
		sum += w
	}
	return sum
}

// countLeftOut counts the journeys that are in no figure because spans of them are missing.
func countLeftOut(left []IncompleteReason) int {
	n := 0
	for _, x := range left {
		n += x.Journeys
	}
	return n
}

// maxReasons bounds the reasons that a warning names.
const maxReasons = 3

// caveats tell what is to be known of all of the group's figures: which journeys are in none, and why there are no intervals.
func (g GroupSummary) caveats() []string {
	var list []string
	if n := countLeftOut(g.Incomplete); n > 0 {
		text := fmt.Sprintf("%s: %d of %d journeys are incomplete, and in no figure", g.Name, n, n+g.Journeys)
		for i, x := range g.Incomplete {
			if i == maxReasons {
				text += fmt.Sprintf("; and %d more reasons", len(g.Incomplete)-i)
				break
			}
			text += fmt.Sprintf("%s %d × %s", map[bool]string{true: ":", false: ";"}[i == 0], x.Journeys, x.Reason)
		}
		list = append(list, text)
	}
	if g.Taken > 0 {
		list = append(list, fmt.Sprintf("%s: %d of %d journeys are incomplete, and in the figures all the same", g.Name, g.Taken, g.Journeys))
	}
	if g.NoInterval != "" {
		list = append(list, fmt.Sprintf("%s has no intervals, and nothing is said of what differs: %s", g.Name, g.NoInterval))
	}
	return list
}
