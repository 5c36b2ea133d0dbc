package compare

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"tracelab/journey"
)

// Record is what was kept of one journey that somebody else judged, without its spans.
type Record struct {
	Root       Root
	Trace      string // the first of its traces, as an example
	Spans      int
	Figures    map[string]float64 // by measure, those that it has
	Signature  string             // of its structure: see StructureOf
	Nodes      int
	Incomplete string   // why spans of it are known to be missing; "" for one that is whole
	Weight     *float64 // how many journeys it stands for; nil where its sampler left nothing
	TailMark   bool     // a span has a tail sampler's mark
}

// NewBaselineOf makes a baseline of records, with what one of their journeys would have but keys, and the nodes by which
// structures differ. Like NewBaseline it keeps the figures of 10,000 journeys of a root at most, and the summary of all.
func NewBaselineOf(name string, records []Record) *Baseline {
	b := &Baseline{Schema: BaselineSchema, Name: name}
	byRoot := map[Root][]Record{}
	for _, r := range records {
		byRoot[r.Root] = append(byRoot[r.Root], r)
	}
	for root, list := range byRoot {
		b.Roots = append(b.Roots, recordedRoot(root, list))
	}
	slices.SortFunc(b.Roots, func(x, y BaselineRoot) int {
		return cmp.Or(cmp.Compare(y.Journeys, x.Journeys), strings.Compare(x.Root.Service, y.Root.Service), strings.Compare(x.Root.Name, y.Root.Name))
	})
	return b
}

// recordedRoot keeps the records of one root.
func recordedRoot(root Root, records []Record) BaselineRoot {
	x := BaselineRoot{Root: root, Structures: []Structure{}, Summaries: map[string]*Summary{}, Keys: []*string{}, Figures: map[string]baseRow{}}
	var whole []Record
	reasons := map[string]*IncompleteReason{}
	for _, r := range records {
		if r.Incomplete == "" {
			whole = append(whole, r)
			x.Spans += r.Spans
			continue
		}
		if reasons[r.Incomplete] == nil {
			reasons[r.Incomplete] = &IncompleteReason{Reason: r.Incomplete, Example: r.Trace}
		}
		reasons[r.Incomplete].Journeys++
	}
	for _, r := range reasons {
		x.LeftOut = append(x.LeftOut, *r)
	}
	slices.SortFunc(x.LeftOut, func(a, b IncompleteReason) int {
		return cmp.Or(cmp.Compare(b.Journeys, a.Journeys), strings.Compare(a.Reason, b.Reason))
	})
	x.Journeys = len(whole)
	weights := x.weigh(whole)
	x.addStructures(whole, weights)
	sample := sampleOf(make([]*string, len(whole)))
	x.Keys = make([]*string, len(sample))
	for _, at := range sample {
		if weights != nil {
			x.Weights = append(x.Weights, weights[at])
		}
	}
	for _, m := range Measures() {
		x.addFigures(m.Name, whole, sample, weights)
	}
	return x
}

// weigh returns how many journeys each record stands for, nil when none says so, and notes why there are no intervals.
func (r *BaselineRoot) weigh(records []Record) []float64 {
	var s journey.Sampling
	weights := make([]float64, len(records))
	for i, x := range records {
		weights[i] = 1
		if x.Weight != nil {
			weights[i], s.Weighted = *x.Weight, true
		}
		s.Differ = s.Differ || weights[i] != weights[0]
		s.Tail = s.Tail || x.TailMark
	}
	s.Zero = len(records) > 0 && !s.Differ && weights[0] == 0
	r.NoInterval, _ = s.NoInterval()
	if !s.Weighted {
		return nil
	}
	return weights
}

func (r *BaselineRoot) addFigures(measure string, records []Record, sample []int, weights []float64) {
	all := Figures{NoInterval: r.NoInterval}
	row := make(baseRow, 0, len(sample))
	for i, x := range records {
		if v, ok := x.Figures[measure]; ok && finite(v) {
			all.add(v, weights, int32(i))
		}
	}
	for _, at := range sample {
		v, ok := records[at].Figures[measure]
		if !ok || !finite(v) {
			v = math.NaN()
		}
		row = append(row, v)
	}
	r.Figures[measure], r.Summaries[measure] = row, nil
	if len(all.Values) > 0 {
		r.Summaries[measure] = new(all.Summarize())
	}
}

func (r *BaselineRoot) addStructures(records []Record, weights []float64) {
	at, sum := map[string]int{}, 0.0
	for i, x := range records {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		sum += w
		k, ok := at[x.Signature]
		if !ok {
			k = len(r.Structures)
			at[x.Signature] = k
			r.Structures = append(r.Structures, Structure{Signature: x.Signature, Nodes: x.Nodes, Example: x.Trace, More: []string{}, Less: []string{}})
		}
		r.Structures[k].Journeys++
		r.Structures[k].Share += w
	}
	for k := range r.Structures {
		r.Structures[k].Share /= max(sum, math.SmallestNonzeroFloat64)
	}
	slices.SortFunc(r.Structures, func(a, b Structure) int {
		return cmp.Or(cmp.Compare(b.Journeys, a.Journeys), strings.Compare(a.Signature, b.Signature))
	})
}
