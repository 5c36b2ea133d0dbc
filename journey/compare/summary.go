package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tracelab/journey"
)

// GroupSummary describes one group of a comparison.
type GroupSummary struct {
	Name       string
	Journeys   int
	Spans      int              // a span that belongs to several journeys counts once
	Measures   []MeasureSummary // those that were compared, in their order
	Structures []Structure      // the most frequent first

	Incomplete []IncompleteReason // why further journeys are in no figure, the most frequent reason first
	Taken      int                // incomplete journeys that are in the figures, because that was asked for
	NoInterval string             // why there are no intervals, "" where there are
	Doubt      string             // the group's: with one, its figures are marked (!)

	// Example is the journey with the median completion, the lower of two; in a comparison by pairs, the counterpart of the
	// first group's. It is nil without journeys, and in a summary that was read from JSON.
	Example *journey.Journey
}

// MeasureSummary is one measure of a group.
type MeasureSummary struct {
	Measure  string    // its name
	Summary  *Summary  // nil when no journey has the measure
	Values   []float64 // of the journeys that have it; nil in a summary that was read from JSON
	Weights  []float64 // by value, how many journeys it stands for; nil: each for the same number
	Lacking  string    // why the group has none
	Doubtful bool      // the group has a Doubt
}

// Of returns the summary of a measure, nil when no journey of the group has it.
func (g *GroupSummary) Of(measure string) *Summary {
	for i := range g.Measures {
		if g.Measures[i].Measure == measure {
			return g.Measures[i].Summary
		}
	}
	return nil
}

func describe(g Group, measures []Measure, structures []Structure) GroupSummary {
	s := GroupSummary{Name: g.Name, Journeys: len(g.Journeys), Spans: countSpans(g.Journeys), Structures: structures, Example: journey.Median(g.Journeys), Incomplete: g.leftOut(), Taken: g.taken, NoInterval: g.noInterval, Doubt: g.Doubt}
	if g.Baseline != nil {
		s.Journeys, s.Spans, s.Structures = g.Baseline.journeys(), g.Baseline.spans(), g.Baseline.structures()
	}
	for _, m := range measures {
		f := valuesOf(m, g)
		x := MeasureSummary{Measure: m.Name, Values: f.Values, Weights: f.Weights, Lacking: m.Lacking, Doubtful: g.Doubt != ""}
		if len(f.Values) > 0 {
			x.Summary = new(f.Summarize())
		}
		s.Measures = append(s.Measures, x)
	}
	return s
}

// LeftOut counts the journeys that are in no figure because they are incomplete.
func (g *GroupSummary) LeftOut() int { return countLeftOut(g.Incomplete) }

// countSpans counts the spans of journeys, each once. Memory is in proportion to the journeys, not to their sets: a set may be
// taken apart into thousands of groups.
func countSpans(journeys []*journey.Journey) int {
	bySet := make(map[*journey.Set][]*journey.Journey)
	for _, j := range journeys {
		bySet[j.Set()] = append(bySet[j.Set()], j)
	}
	n := 0
	for _, list := range bySet {
		var all []journey.Index
		for _, j := range list {
			all = append(all, j.Spans()...)
		}
		slices.Sort(all)
		n += len(slices.Compact(all))
	}
	return n
}

// MarshalJSON writes name, journeys and spans, then each measure under its name, null where the group has none, then the
// structures; and how many more journeys are incomplete, and why there are no intervals, where that is so.
func (g GroupSummary) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	field := func(name string, value any) error {
		key, err := encode(name)
		if err != nil {
			return err
		}
		text, err := encode(value)
		if err != nil {
			return fmt.Errorf("group %q, %s: %w", g.Name, name, err)
		}
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(text)
		return nil
	}
	structures := g.Structures
	if structures == nil {
		structures = []Structure{}
	}
	err := field("name", g.Name)
	for _, f := range []struct {
		name  string
		value any
	}{{"journeys", g.Journeys}, {"spans", g.Spans}} {
		if err == nil {
			err = field(f.name, f.value)
		}
	}
	for i := range g.Measures {
		if err == nil {
			err = field(g.Measures[i].Measure, g.Measures[i].Summary)
		}
	}
	if err == nil {
		err = field("structures", structures)
	}
	if n := countLeftOut(g.Incomplete); err == nil && n > 0 {
		err = errors.Join(field("incomplete", n), field("left_out", g.Incomplete))
	}
	if err == nil && g.Taken > 0 {
		err = field("incomplete_taken", g.Taken)
	}
	if err == nil && g.NoInterval != "" {
		err = field("no_interval", g.NoInterval)
	}
	if err == nil && g.Doubt != "" {
		err = field("doubt", g.Doubt)
	}
	b.WriteByte('}')
	return b.Bytes(), err
}

// encode writes JSON without escapes for HTML.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// UnmarshalJSON reads what MarshalJSON wrote: every member that it does not know is a measure.
func (g *GroupSummary) UnmarshalJSON(text []byte) error {
	*g = GroupSummary{}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("group: %w", err)
		}
		key, ok := token.(string)
		if !ok {
			return fmt.Errorf("group: a JSON object is expected")
		}
		var to any
		var measure *Summary
		switch key {
		case "name":
			to = &g.Name
		case "journeys":
			to = &g.Journeys
		case "spans":
			to = &g.Spans
		case "incomplete":
			to = new(int) // the sum of left_out
		case "incomplete_taken":
			to = &g.Taken
		case "left_out":
			to = &g.Incomplete
		case "no_interval":
			to = &g.NoInterval
		case "doubt":
			to = &g.Doubt
		case "structures":
			to = &g.Structures
		default:
			to = &measure
		}
		if err := d.Decode(to); err != nil {
			return fmt.Errorf("group, %s: %w", key, err)
		}
		if to == any(&measure) {
			g.Measures = append(g.Measures, MeasureSummary{Measure: key, Summary: measure})
		}
	}
	for i := range g.Measures { // the doubt stands behind them
		g.Measures[i].Doubtful = g.Doubt != ""
	}
	return nil
}
