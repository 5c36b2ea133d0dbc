package report

import (
	"tracelab/journey/compare"
	"tracelab/journey/format"
)

// Square is four groups that two choices span, and what each choice changes in one measure.
type Square struct {
	Measure string       // such as compare.CallerWait
	Rows    [2]string    // the one choice, in words: calls, messages
	Columns [2]string    // the other one: answered when done, answered early
	Groups  [2][2]string // the names of groups of the comparison, by row and column
	Across  [2]compare.Difference
	Down    [2]compare.Difference
	// Interaction is how much more the columns differ in the second row than in the first.
	Interaction compare.Difference
	Marked      string // why the figures are in doubt; "" when they are not
}

// squareView is a square as the page has it: three cells in each of three rows.
type squareView struct {
	Measure, Marked string
	Cells           []squareCell
}

// squareCell is a corner of the square, a side, or its middle.
type squareCell struct {
	Kind                string // corner, side, middle
	Label, Value, Small string
	Color, Class        string
}

// newSquareView lays a square out.
func (r Comparison) newSquareView(s Square) squareView {
	corner := func(row, column int) squareCell {
		name := s.Groups[row][column]
		c := squareCell{Kind: "corner", Label: format.Escape(name), Value: "–", Small: format.Escape(s.Rows[row] + ", " + s.Columns[column]), Color: r.colorOf(name).Hex}
		for _, g := range r.Of.Groups {
			if summary := g.Of(s.Measure); g.Name == name && summary != nil && summary.Median != nil {
				c.Value = compare.Value(s.Measure, *summary.Median)
			}
		}
		return c
	}
	side := func(label string, d compare.Difference) squareCell {
		return squareCell{Kind: "side", Label: format.Escape(label), Value: d.String(), Class: verdictClass(d.Verdict)}
	}
	across := func(row int) squareCell {
		return side(s.Groups[row][1]+" against "+s.Groups[row][0]+": "+s.Columns[1], s.Across[row])
	}
	down := func(column int) squareCell {
		return side(s.Groups[1][column]+" against "+s.Groups[0][column]+": "+s.Rows[1], s.Down[column])
	}
	middle := side("interaction: how much more the one changes with the other", s.Interaction)
	middle.Kind = "middle"
	return squareView{Measure: measureWords(s.Measure), Marked: format.Escape(s.Marked), Cells: []squareCell{
		corner(0, 0), across(0), corner(0, 1),
		down(0), middle, down(1),
		corner(1, 0), across(1), corner(1, 1),
	}}
}
