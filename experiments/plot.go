package experiments

// Plot is a picture of what was measured. The page draws it; nothing in it depends on how.
type Plot struct {
	Title string // the question that it answers
	X, Y  string // what the axes are, with their units
	Lines []Line
	Bars  []Bar  // instead of lines: X says nothing then
	Marks []Mark // lines across the plot
}

// Line is a curve of one arm.
type Line struct {
	Name   string
	Form   string // whose color it has; "": that of its place
	X, Y   []float64
	Steps  bool // the value stays until the next point
	Dashed bool // it was predicted
}

// Bar is one value with its interval.
type Bar struct {
	Name      string
	Form      string
	Value     float64
	Low, High float64  // infinite: not bounded
	Predicted *float64 // nil: nothing was predicted
}

// Mark is a line at a value: δ, a trigger, an objective.
type Mark struct {
	At       float64
	Vertical bool // at a value of x
	Label    string
}

// Curve makes a line of a figure of an arm; it is empty when there is none.
func (f Figures) curve(arm, measure, form string) Line {
	x, err := f.find(arm, measure)
	if err != nil {
		return Line{Name: arm, Form: form}
	}
	return Line{Name: arm, Form: form, X: x.At, Y: x.Values}
}
