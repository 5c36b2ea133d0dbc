package experiments

import (
	"fmt"

	"tracelab/services"
)

// Plot is a picture of what was measured. The page draws it; nothing in it depends on how.
type Plot struct {
	Title string // the question that it answers
	X, Y  string // what the axes are, with their units
	Lines []Line
	Bars  []Bar  // instead of lines: Y says nothing then
	Marks []Mark // lines across the plot
}

// Line is a curve of one arm.
type Line struct {
	Name   string
	Form   string // whose color it has; "": that of its place
	X, Y   []float64
	Steps  bool // the value stays until the next point
	Dashed bool // it was predicted, or is beside the others

	of []point // which figures its points are; none for a curve
}

// point names the figure of a point or a bar, so that its prediction is found.
type point struct{ arm, measure string }

// Bar is one value with its interval.
type Bar struct {
	Name      string
	Form      string
	Value     float64
	Low, High float64  // infinite: not bounded
	Predicted *float64 // nil: nothing was predicted

	of point
}

// Mark is a line at a value: δ, a trigger, an objective.
type Mark struct {
	At       float64
	Vertical bool // at a value of x
	Label    string
}

// curve makes a line of a curve of an arm; it is empty when there is none, as in a ledger that was recorded without it.
func (f Figures) curve(arm, measure, form string) Line {
	x, err := f.find(arm, measure)
	if err != nil {
		return Line{Name: arm, Form: form}
	}
	return Line{Name: arm, Form: form, X: x.At, Y: x.Values}
}

// curves makes a line of each arm that has a curve.
func (f Figures) curves(measure string) []Line {
	var lines []Line
	for _, x := range f {
		if x.Measure == measure && x.Per == PerPoint {
			lines = append(lines, f.curve(x.Arm, measure, formOf(x.Arm)))
		}
	}
	return lines
}

// bars draws one measure of every arm that has it.
func (f Figures) bars(title, measure string) Plot {
	p := Plot{Title: title}
	for _, x := range f {
		if x.Measure != measure || x.Per == PerPoint {
			continue
		}
		p.X = x.Unit
		p.Bars = append(p.Bars, f.bar(x.Arm, x.Arm, measure))
	}
	return p
}

// bar draws one figure, under a name.
func (f Figures) bar(name, arm, measure string) Bar {
	b := Bar{Name: name, Form: formOf(arm), Value: nan(), Low: nan(), High: nan(), of: point{arm, measure}}
	x, err := f.find(arm, measure)
	if err != nil {
		return b
	}
	if e, err := x.Estimate(); err == nil {
		b.Value = e.Value
		b.Low, b.High = e.Interval(0.95)
	}
	return b
}

// over makes a line for each form, of a measure in arms that stand at places on the x axis.
func (f Figures) over(measure string, at []float64, arm func(form services.Form, at float64) string, forms ...services.Form) []Line {
	var lines []Line
	for _, form := range forms {
		l := Line{Name: string(form), Form: string(form)}
		for _, x := range at {
			name := arm(form, x)
			figure, err := f.find(name, measure)
			if err != nil {
				continue
			}
			if e, err := figure.Estimate(); err == nil {
				l.X, l.Y, l.of = append(l.X, x), append(l.Y, e.Value), append(l.of, point{name, measure})
			}
		}
		lines = append(lines, l)
	}
	return lines
}

// armAt is armOf for a place on the x axis.
func armAt(form services.Form, at float64) string { return armOf(form, int(at)) }

// floats are counts as places on an x axis.
func floats(list []int) []float64 {
	var at []float64
	for _, n := range list {
		at = append(at, float64(n))
	}
	return at
}

// withPredictions puts beside each bar and line what was predicted.
func (p Plot) withPredictions(figures []Measured) Plot {
	for i, b := range p.Bars {
		if m := find(figures, b.of.arm, b.of.measure); m != nil {
			p.Bars[i].Predicted = m.Predicted
		}
	}
	var guesses []Line
	for _, l := range p.Lines {
		guess := Line{Name: fmt.Sprintf("%s, predicted", l.Name), Form: l.Form, Dashed: true}
		for i, of := range l.of {
			if m := find(figures, of.arm, of.measure); m != nil && m.Predicted != nil {
				guess.X, guess.Y = append(guess.X, l.X[i]), append(guess.Y, *m.Predicted)
			}
		}
		if len(guess.X) > 1 {
			guesses = append(guesses, guess)
		}
	}
	p.Lines = append(p.Lines, guesses...)
	return p
}
