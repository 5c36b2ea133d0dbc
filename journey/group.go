package journey

import (
	"cmp"
	"fmt"
	"slices"
)

// Group is a named list of journeys, of one set or several.
type Group struct {
	Name     string
	Journeys []*Journey
}

// Measure is a figure that a journey may have, in milliseconds.
type Measure struct {
	Name string
	Of   func(*Journey) (float64, bool)
}

// Measures returns the measures by which groups are compared. Each journey has one value of each, or none: caller_wait_ms
// and tail_ms need a root, and queue_wait_ms, the mean of its messages' queue waits, needs a message.
func Measures() []Measure {
	return []Measure{
		{"caller_wait_ms", func(j *Journey) (float64, bool) { ns, ok := j.CallerWait(); return milliseconds(ns), ok }},
		{"completion_ms", func(j *Journey) (float64, bool) { return milliseconds(j.Completion()), true }},
		{"tail_ms", func(j *Journey) (float64, bool) { ns, ok := j.Tail(); return milliseconds(ns), ok }},
		{"queue_wait_ms", meanQueueWait},
	}
}

func milliseconds(ns int64) float64 { return float64(ns) / 1e6 }

func meanQueueWait(j *Journey) (float64, bool) {
	messages := j.Messages()
	var sum float64
	for _, m := range messages {
		sum += milliseconds(m.Wait)
	}
	return sum / float64(max(1, len(messages))), len(messages) > 0
}

// PairKey tells which journeys of two groups belong together: those with equal keys.
type PairKey func(*Journey) (key string, ok bool)

// ByAttribute pairs journeys whose roots have the same value of an attribute.
func ByAttribute(name string) PairKey {
	return func(j *Journey) (string, bool) {
		if j.root == none {
			return "", false
		}
		v, ok := j.set.Span(j.root).Attr(name)
		return v.String(), ok
	}
}

// GroupSummary is what a comparison says of one group. A measure that no journey of it has is nil.
type GroupSummary struct {
	Name       string   `json:"name"`
	Journeys   int      `json:"journeys"`
	Spans      int      `json:"spans"` // a span that belongs to several journeys counts once
	CallerWait *Summary `json:"caller_wait_ms"`
	Completion *Summary `json:"completion_ms"`
	Tail       *Summary `json:"tail_ms"`
	QueueWait  *Summary `json:"queue_wait_ms"`

	Structures []Structure `json:"structures"` // the most frequent first

	Values  map[string][]float64 `json:"-"` // by measure, of the journeys that have it
	Example *Journey             `json:"-"` // one with the median completion, the lower of two; in a comparison by pairs, the counterpart of the first group's; nil without journeys
}

// Comparison is what is said of several groups. The first is the base of all differences.
type Comparison struct {
	Groups      []GroupSummary
	Differences []Difference // by group, then by measure; without those that only one side has
	Nodes       []Node       // in the order in which they begin
	Warnings    []string
}

// Compare summarises groups, and compares each with the first one, pair by pair where the key pairs them. Where keys are
// missing, where a key occurs twice in a group, and without a key (nil) the groups are compared as a whole.
func Compare(groups []Group, key PairKey) Comparison {
	var c Comparison
	table, trees := buildTrees(groups)
	for i, g := range groups {
		c.Groups = append(c.Groups, describe(g, trees[i].structures(table)))
		if i > 0 {
			differences, warning := Differences(groups[0], g, key)
			c.Differences = append(c.Differences, differences...)
			if warning != "" {
				c.Warnings = append(c.Warnings, warning)
			}
		}
	}
	c.Nodes = nodesOf(table, trees, key)
	for g := 1; g < len(groups); g++ {
		pairs, _ := pair(groups[0], groups[g], key)
		for _, p := range pairs {
			if p[0] == c.Groups[0].Example {
				c.Groups[g].Example = p[1]
			}
		}
	}
	return c
}

// Describe summarises one group.
func Describe(g Group) GroupSummary {
	table, trees := buildTrees([]Group{g})
	return describe(g, trees[0].structures(table))
}

func describe(g Group, structures []Structure) GroupSummary {
	s := GroupSummary{
		Name: g.Name, Journeys: len(g.Journeys), Spans: countSpans(g.Journeys),
		Structures: structures, Values: make(map[string][]float64), Example: medianJourney(g.Journeys),
	}
	fields := []**Summary{&s.CallerWait, &s.Completion, &s.Tail, &s.QueueWait}
	for i, m := range Measures() {
		if values := valuesOf(m, g); len(values) > 0 {
			*fields[i] = new(Summarise(values))
			s.Values[m.Name] = values
		}
	}
	return s
}

// medianJourney returns the journey with the median completion, the lower of two.
func medianJourney(journeys []*Journey) *Journey {
	if len(journeys) == 0 {
		return nil
	}
	sorted := slices.Clone(journeys)
	slices.SortStableFunc(sorted, func(a, b *Journey) int { return cmp.Compare(a.Completion(), b.Completion()) })
	return sorted[(len(sorted)-1)/2]
}

func countSpans(journeys []*Journey) int {
	n := 0
	seen := make(map[*Set][]bool)
	for _, j := range journeys {
		if seen[j.set] == nil {
			seen[j.set] = make([]bool, j.set.Len())
		}
		for _, i := range j.spans {
			if !seen[j.set][i] {
				seen[j.set][i] = true
				n++
			}
		}
	}
	return n
}

// Differences compares a group with a base in all measures that both have. The warning tells when pairing left journeys
// out, or could not be done.
func Differences(base, other Group, key PairKey) (list []Difference, warning string) {
	pairs, warning := pair(base, other, key)
	for _, m := range Measures() {
		var b, o []float64
		if pairs != nil {
			for _, p := range pairs {
				if x, y, ok := both(m, p); ok {
					b, o = append(b, x), append(o, y)
				}
			}
		} else {
			b, o = valuesOf(m, base), valuesOf(m, other)
		}
		if len(b) == 0 || len(o) == 0 {
			continue
		}
		d := Unpaired(b, o)
		if pairs != nil {
			d = Paired(b, o)
		}
		d.Base, d.Other, d.Measure = base.Name, other.Name, m.Name
		list = append(list, d)
	}
	return list, warning
}

func both(m Measure, p [2]*Journey) (x, y float64, ok bool) {
	x, ok1 := m.Of(p[0])
	y, ok2 := m.Of(p[1])
	return x, y, ok1 && ok2
}

func valuesOf(m Measure, g Group) []float64 {
	var values []float64
	for _, j := range g.Journeys {
		if v, ok := m.Of(j); ok {
			values = append(values, v)
		}
	}
	return values
}

// pair returns the journeys of both groups that have the same key, or nil when there are none or a key is ambiguous.
func pair(base, other Group, key PairKey) (pairs [][2]*Journey, warning string) {
	if key == nil {
		return nil, ""
	}
	byKey, ambiguous := keyed(base, key)
	others, ambiguous2 := keyed(other, key)
	if ambiguous || ambiguous2 {
		return nil, fmt.Sprintf("%s and %s are not compared pair by pair: a key occurs twice in one of them", base.Name, other.Name)
	}
	for k, o := range others {
		if b := byKey[k]; b != nil {
			pairs = append(pairs, [2]*Journey{b, o})
		}
	}
	slices.SortFunc(pairs, func(x, y [2]*Journey) int { return int(x[0].first()) - int(y[0].first()) })
	if out := len(base.Journeys) + len(other.Journeys) - 2*len(pairs); len(pairs) > 0 && out > 0 {
		warning = fmt.Sprintf("%s and %s: %d journeys have no counterpart, and are in no difference", base.Name, other.Name, out)
	}
	return pairs, warning
}

func keyed(g Group, key PairKey) (byKey map[string]*Journey, ambiguous bool) {
	byKey = make(map[string]*Journey, len(g.Journeys))
	for _, j := range g.Journeys {
		if k, ok := key(j); ok {
			ambiguous = ambiguous || byKey[k] != nil
			byKey[k] = j
		}
	}
	return byKey, ambiguous
}
