package experiments

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tracelab/internal/palette"
)

// plotView is a plot as the page draws it: positions are in percent of its width or height.
type plotView struct {
	Title, Axes, Spoken string
	Bars                []barView
	Lines               []lineView
	Marks               []markView
	XTicks, YTicks      []string
	AnyGuess            bool
}

type barView struct {
	Name, Text, Color    string
	At, Low, High, Guess float64
	Known, Guessed       bool
}

type lineView struct {
	Name, Color, Points string
	Dashed              bool
}

type markView struct {
	At       float64
	Vertical bool
	Label    string
}

// plot makes the plot of a claim: its own, or the figures of its first measure.
func (r *Report) plot(draw func(Figures) Plot) (Plot, bool) {
	figures := r.figures()
	if len(figures) == 0 {
		return Plot{}, false
	}
	if draw != nil {
		if p := draw(figures); p.drawn() {
			return p.withPredictions(r.Figures), true
		}
	}
	p := figures.bars(capital(figures[0].Measure), figures[0].Measure)
	return p.withPredictions(r.Figures), p.drawn()
}

// drawn tells whether there is anything to draw.
func (p Plot) drawn() bool {
	return len(p.Bars) > 0 || slices.ContainsFunc(p.Lines, func(l Line) bool { return len(l.X) > 0 })
}

// formOf is the form that an arm's name begins with.
func formOf(arm string) string {
	form, _, _ := strings.Cut(arm, ",")
	form, _, _ = strings.Cut(form, " ")
	return form
}

// colors of arms that are no form.
func otherColors() []string {
	return []string{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C564B", "#7F7F7F"}
}

// colorOf is the color of a form, or of the place of whatever else it is; no color is used twice in a plot.
func colorOf(form string, used []string) string {
	if c, ok := palette.Form(form); ok && !slices.Contains(used, c.Hex) {
		return c.Hex
	}
	for _, c := range otherColors() {
		if !slices.Contains(used, c) {
			return c
		}
	}
	return otherColors()[len(used)%len(otherColors())]
}

func newPlotView(p Plot) plotView {
	v := plotView{Title: p.Title}
	if len(p.Bars) > 0 {
		v.bars(p)
		return v
	}
	v.lines(p)
	return v
}

// span is the range of what is drawn; 0 is in it.
type span struct{ low, high float64 }

func (s *span) take(values ...float64) {
	for _, x := range values {
		if !math.IsInf(x, 0) && !math.IsNaN(x) {
			s.low, s.high = min(s.low, x), max(s.high, x)
		}
	}
}

// percent is where a value is; what is not bounded is at the edge.
func (s *span) percent(x float64) float64 {
	if s.high <= s.low {
		return 0
	}
	return math.Round(10000*(min(max(x, s.low), s.high)-s.low)/(s.high-s.low)) / 100
}

func (v *plotView) bars(p Plot) {
	var s span
	for _, b := range p.Bars {
		s.take(b.Value, b.Low, b.High)
		if b.Predicted != nil {
			s.take(*b.Predicted)
		}
	}
	for _, m := range p.Marks {
		s.take(m.At)
	}
	s.high += (s.high - s.low) / 50
	var spoken []string
	var used []string
	for _, b := range p.Bars {
		color := colorOf(b.Form, nil)
		if _, known := palette.Form(b.Form); !known {
			color = colorOf("", used)
			used = append(used, color)
		}
		bar := barView{Name: b.Name, Text: short(b.Value), Color: color, At: s.percent(b.Value), Low: s.percent(b.Low), High: s.percent(b.High), Known: !math.IsNaN(b.Value)}
		if b.Predicted != nil {
			bar.Guess, bar.Guessed, v.AnyGuess = s.percent(*b.Predicted), true, true
		}
		v.Bars, spoken = append(v.Bars, bar), append(spoken, b.Name+" "+bar.Text)
	}
	for _, m := range p.Marks {
		v.Marks = append(v.Marks, markView{At: s.percent(m.At), Label: m.Label})
	}
	v.Spoken, v.Axes = strings.Join(spoken, ", "), fmt.Sprintf("from %s to %s %s", short(s.low), short(s.high), p.X)
}

func (v *plotView) lines(p Plot) {
	x, y := span{math.Inf(1), math.Inf(-1)}, span{}
	for _, l := range p.Lines {
		x.take(l.X...)
		y.take(l.Y...)
	}
	for _, m := range p.Marks {
		if !m.Vertical {
			y.take(m.At)
		}
	}
	var used, spoken []string // colors of forms are taken by them alone
	for _, l := range p.Lines {
		if color, known := form(p.Lines, l); known {
			used = append(used, color)
		}
	}
	for _, l := range p.Lines {
		color, known := form(p.Lines, l)
		if !known {
			color = colorOf("", used)
			used = append(used, color)
		}
		v.Lines = append(v.Lines, lineView{Name: l.Name, Color: color, Points: points(l, x, y), Dashed: l.Dashed})
		if n := len(l.Y); n > 0 {
			spoken = append(spoken, fmt.Sprintf("%s from %s to %s", l.Name, short(l.Y[0]), short(l.Y[n-1])))
		}
	}
	for _, m := range p.Marks {
		at := 100 - y.percent(m.At)
		if m.Vertical {
			at = x.percent(m.At)
		}
		v.Marks = append(v.Marks, markView{at, m.Vertical, m.Label})
	}
	v.YTicks = []string{short(y.high), short((y.low + y.high) / 2), short(y.low)}
	v.XTicks = []string{short(x.low), short((x.low + x.high) / 2), short(x.high)}
	v.Spoken, v.Axes = strings.Join(spoken, "; "), fmt.Sprintf("across: %s; up: %s", p.X, p.Y)
}

// form is the color of a line's form. Two lines of one form have it both when they are not drawn alike.
func form(lines []Line, l Line) (string, bool) {
	c, ok := palette.Form(l.Form)
	i := slices.IndexFunc(lines, func(x Line) bool { return x.Form == l.Form && x.Dashed == l.Dashed })
	return c.Hex, ok && lines[i].Name == l.Name
}

// points writes a line's points; those that are not known, or infinite, are left out.
func points(l Line, x, y span) string {
	var b strings.Builder
	before := math.NaN()
	for i := range min(len(l.X), len(l.Y)) {
		if math.IsNaN(l.Y[i]) || math.IsInf(l.Y[i], 0) {
			continue
		}
		if l.Steps && !math.IsNaN(before) {
			fmt.Fprintf(&b, "%g,%g ", x.percent(l.X[i]), before)
		}
		before = 100 - y.percent(l.Y[i])
		fmt.Fprintf(&b, "%g,%g ", x.percent(l.X[i]), before)
	}
	return strings.TrimSpace(b.String())
}
