package compare

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strconv"
)

// BaselineSchema names the JSON document of a baseline. Fields are added to a version, never renamed.
const BaselineSchema = "tracelab.baseline/v1"

// Limits of a baseline: how many journeys of each root it keeps, and how large a file may be.
const (
	maxSampled       = 10_000
	maxBaselineBytes = 256 << 20
)

// Baseline has the figures of a group and of its journeys, or of a sample of them, for later comparisons, so that the traces
// need not be kept. A Group with a Baseline can be the base of a comparison, which then has no nodes.
type Baseline struct {
	Schema string         `json:"schema"`
	Name   string         `json:"name"`             // of the group
	Pair   string         `json:"pair,omitempty"`   // the attribute whose values the keys are
	Chosen []string       `json:"chosen,omitempty"` // which journeys were chosen, in words
	Doubt  string         `json:"doubt,omitempty"`  // the group's
	Roots  []BaselineRoot `json:"roots"`            // most journeys first
}

// BaselineRoot is what a Baseline keeps of the journeys of one root.
type BaselineRoot struct {
	Root       Root                `json:"root"`
	Journeys   int                 `json:"journeys"`
	Spans      int                 `json:"spans"`
	Structures []Structure         `json:"structures"`
	Summaries  map[string]*Summary `json:"summaries"` // by measure, over all journeys; null where none has it
	Keys       []*string           `json:"keys"`      // by sampled journey, null for one without a key
	Runs       []int               `json:"runs,omitempty"`
	Weights    []float64           `json:"weights,omitempty"`     // by sampled journey, how many it stands for; none: each for one
	NoInterval string              `json:"no_interval,omitempty"` // why there is no interval for the figures
	LeftOut    []IncompleteReason  `json:"left_out,omitempty"`    // journeys that are incomplete, and in no figure
	Figures    map[string]baseRow  `json:"figures"`               // by measure, then by sampled journey, null for one that does not have it
}

// baseRow has one number for each journey. A missing one is NaN, and null in JSON.
type baseRow []float64

// MarshalJSON writes null for a missing number.
func (r baseRow) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, v := range r {
		if i > 0 {
			b = append(b, ',')
		}
		if finite(v) {
			b = strconv.AppendFloat(b, v, 'g', -1, 64)
		} else {
			b = append(b, "null"...)
		}
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads null as a missing number.
func (r *baseRow) UnmarshalJSON(text []byte) error {
	var values []*float64
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	*r = make(baseRow, len(values))
	for i, v := range values {
		(*r)[i] = math.NaN()
		if v != nil {
			(*r)[i] = *v
		}
	}
	return nil
}

// NewBaseline makes a baseline of a group, with the measures and keys of the options: those of later comparisons. Of more
// than 10,000 journeys of a root it keeps the summary of all, and as a sample those whose keys have the smallest hashes, so
// that the samples of two groups have the same pairs.
func NewBaseline(g Group, opts ...Option) *Baseline {
	if g.Baseline != nil {
		return g.Baseline
	}
	o := newOptions(opts)
	b := &Baseline{Schema: BaselineSchema, Name: g.Name, Doubt: g.Doubt}
	for _, r := range splitRoots(o.take([]Group{g})) {
		b.Roots = append(b.Roots, newBaselineRoot(r, o))
	}
	return b
}

func newBaselineRoot(r rootGroups, o options) BaselineRoot {
	g := r.groups[0]
	table, trees := buildTrees(r.groups)
	described := describe(g, o.measures, trees[0].structures(table))
	x := BaselineRoot{
		Root: r.root, Journeys: described.Journeys, Spans: described.Spans, Structures: described.Structures,
		Summaries: map[string]*Summary{}, Figures: map[string]baseRow{}, NoInterval: g.noInterval, LeftOut: described.Incomplete,
	}
	keys := make([]*string, len(g.Journeys))
	for i, j := range g.Journeys {
		if o.key == nil {
			break
		}
		if k, ok := o.key(j); ok {
			keys[i] = &k
		}
	}
	sample := sampleOf(keys)
	for _, i := range sample {
		x.Keys = append(x.Keys, keys[i])
		if g.Runs != nil {
			x.Runs = append(x.Runs, g.Runs[i])
		}
		if w, ok := g.Journeys[i].Weight(); ok || g.weights != nil {
			x.Weights = append(x.Weights, w)
		}
	}
	for k, m := range o.measures {
		x.Summaries[m.Name] = described.Measures[k].Summary
		all := g.figures(m)
		row := make(baseRow, len(sample))
		for at, i := range sample {
			row[at] = all[i]
		}
		x.Figures[m.Name] = row
	}
	return x
}

// sampleOf returns the positions of the journeys to keep.
func sampleOf(keys []*string) []int {
	list := make([]int, len(keys))
	hashes := make([]uint64, len(keys))
	for i, k := range keys {
		list[i] = i
		h := fnv.New64a()
		if k != nil {
			_, _ = h.Write([]byte(*k)) // never fails
			hashes[i] = mix(0, h.Sum64())
		} else {
			hashes[i] = mix(1, uint64(i))
		}
	}
	if len(list) <= maxSampled {
		return list
	}
	slices.SortFunc(list, func(a, b int) int { return cmp.Or(cmp.Compare(hashes[a], hashes[b]), cmp.Compare(a, b)) })
	list = list[:maxSampled]
	slices.Sort(list)
	return list
}

// Write writes the baseline as JSON.
func (b *Baseline) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(b)
}

// IsBaseline reports whether a file that begins like this may be a baseline.
func IsBaseline(beginning []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(beginning, " \t\r\n"), []byte(`{"schema":"tracelab.baseline/`))
}

// ReadBaseline reads what Write wrote.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBaselineBytes+1))
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	if len(text) > maxBaselineBytes {
		return nil, fmt.Errorf("baseline: it is greater than %d MiB", maxBaselineBytes>>20)
	}
	b := new(Baseline)
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	if b.Schema != BaselineSchema {
		return nil, fmt.Errorf("baseline: schema %q is not %s: save it again with this version", b.Schema, BaselineSchema)
	}
	for i := range b.Roots {
		if err := b.Roots[i].check(); err != nil {
			return nil, fmt.Errorf("baseline, roots[%d]: %w", i, err)
		}
	}
	return b, nil
}

// check returns an error when the lists differ in length.
func (r *BaselineRoot) check() error {
	if r.Journeys < len(r.Keys) || r.Spans < 0 {
		return fmt.Errorf("%d journeys of %d spans, and a sample of %d", r.Journeys, r.Spans, len(r.Keys))
	}
	if r.Runs != nil && len(r.Runs) != len(r.Keys) {
		return fmt.Errorf("runs of %d journeys, keys of %d", len(r.Runs), len(r.Keys))
	}
	if r.Weights != nil && len(r.Weights) != len(r.Keys) {
		return fmt.Errorf("weights of %d journeys, keys of %d", len(r.Weights), len(r.Keys))
	}
	for name, row := range r.Figures {
		if len(row) != len(r.Keys) {
			return fmt.Errorf("figures of %s are of %d journeys, keys of %d", name, len(row), len(r.Keys))
		}
	}
	return nil
}
