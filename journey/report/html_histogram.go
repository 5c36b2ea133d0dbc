package report

import (
	"fmt"
	"math"

	"tracelab/journey/compare"
	"tracelab/journey/format"
)

// histogram is the distribution of a measure: a lane for each group, on one axis.
type histogram struct {
	Name   string
	Lanes  []laneView
	Low    string // at the ends of the axis
	High   string
	Height int
}

type laneView struct {
	Name, Text string
	Color      string // #rrggbb, "" for none
	Y, Base    int
	Bars       []barOfLane
	Band       *barView // the 95 % interval of the median
	Median     string   // its place, "" without values
	Top        int
	None       bool
}

type barOfLane struct {
	X, Width, Title string
	Y, Height       int
}

// Sizes of a histogram in pixels.
const (
	laneHeight = 58
	laneText   = 16 // above the bars
	laneBars   = 34
	bins       = 48
)

// histograms draws the measures that any group has.
func histograms(groups []compare.GroupSummary, colorOf func(string) GroupColor) []histogram {
	var list []histogram
	for _, name := range measureNames(groups) {
		low, high := math.Inf(1), math.Inf(-1)
		for i := range groups {
			for _, v := range measureOf(&groups[i], name).Values {
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					low, high = min(low, v), max(high, v)
				}
			}
		}
		if low > high {
			continue
		}
		if low > 0 && low < high/2 {
			low = 0 // so that twice as much looks twice as far
		}
		if low == high {
			low, high = low-0.5, high+0.5
		}
		h := histogram{Name: measureWords(name), Low: compare.Value(name, low), High: compare.Value(name, high), Height: laneHeight * len(groups)}
		for i := range groups {
			l := lane(&groups[i], name, i, low, high)
			l.Color = colorOf(groups[i].Name).Hex
			h.Lanes = append(h.Lanes, l)
		}
		list = append(list, h)
	}
	return list
}

// lane draws the values of one group.
func lane(g *compare.GroupSummary, measure string, at int, low, high float64) laneView {
	m := measureOf(g, measure)
	values := m.Values
	top := laneHeight * at
	l := laneView{Name: format.Escape(g.Name), Y: top + laneText - 4, Top: top + laneText, Base: top + laneText + laneBars, None: len(values) == 0}
	if l.None {
		l.Text = "none"
		return l
	}
	var counts [bins]float64
	most := 0.0
	for i, v := range values {
		b := bins - 1
		if at := (v - low) / (high - low) * bins; at < bins-1 {
			b = max(0, int(at))
		}
		if len(m.Weights) == len(values) {
			counts[b] += m.Weights[i]
		} else {
			counts[b]++
		}
		most = max(most, counts[b])
	}
	for b, n := range counts {
		if n == 0 {
			continue
		}
		height := max(2, int(n*laneBars/most))
		width := (high - low) / bins
		l.Bars = append(l.Bars, barOfLane{
			X: percentage(float64(b) / bins), Width: percentage(0.86 / bins), Y: l.Base - height, Height: height,
			Title: fmt.Sprintf("%s to %s: %.4g", compare.Value(measure, low+float64(b)*width), compare.Value(measure, low+float64(b+1)*width), n),
		})
	}
	s := m.Summary
	if s == nil || s.Median == nil {
		return l
	}
	l.Text = fmt.Sprintf("median %s of %d", m, s.N)
	share := func(v float64) float64 { return (v - low) / (high - low) }
	l.Median = percentage(share(*s.Median))
	if s.Low != nil && s.High != nil {
		l.Band = &barView{X: percentage(share(*s.Low)), Width: percentage(max(0.002, share(*s.High)-share(*s.Low))), Y: l.Base + 2}
	}
	return l
}
