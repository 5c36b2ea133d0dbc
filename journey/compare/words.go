package compare

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"tracelab/journey/format"
)

// Value writes a value of a measure: as a duration where the measure's name ends in _ms, else as a number.
func Value(measure string, v float64) string {
	if strings.HasSuffix(measure, "_ms") {
		return format.Milliseconds(v)
	}
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// Doubtful stands behind a figure that is not only the system's: see Group.Doubt.
const Doubtful = "(!)"

// String writes the median and its interval: 51.2 ms [49.0 ms, 52.1 ms]. It is a dash where no journey has the measure. A
// figure of a group with a Doubt is marked.
func (m MeasureSummary) String() string {
	if m.Doubtful && m.Summary != nil && m.Summary.Median != nil {
		return m.words() + " " + Doubtful
	}
	return m.words()
}

func (m MeasureSummary) words() string {
	s := m.Summary
	switch {
	case s == nil || s.Median == nil:
		return "–"
	case s.Low == nil || s.High == nil:
		return Value(m.Measure, *s.Median)
	}
	return fmt.Sprintf("%s [%s, %s]", Value(m.Measure, *s.Median), Value(m.Measure, *s.Low), Value(m.Measure, *s.High))
}

// String says how the difference came out: how much and how sure, or that it cannot be told and what would settle it.
func (d Difference) String() string {
	if d.Doubtful {
		return d.words() + " " + Doubtful
	}
	return d.words()
}

func (d Difference) words() string {
	unit := "journey"
	if d.Paired {
		unit = "pair"
	}
	units := unit
	if d.N != 1 {
		units += "s"
	}
	switch {
	case d.Delta == nil:
		return "no values to compare"
	case d.Reason != "":
		return fmt.Sprintf("~ %s (%d %s, no interval: %s)", d.signed(*d.Delta), d.N, units, d.Reason)
	case d.Low == nil || d.High == nil:
		return fmt.Sprintf("~ %s, with %d of the %d %ss that it takes to say", d.signed(*d.Delta), d.N, minInterval, unit)
	case d.Verdict == VerdictSame:
		return fmt.Sprintf("same within %s (95 %% interval: %s to %s, %d %s)", d.SameWithin, d.signed(*d.Low), d.signed(*d.High), d.N, units)
	case *d.Low == 0 && *d.High == 0:
		return fmt.Sprintf("~ no difference (%d %s)", d.N, units)
	case d.Verdict != VerdictLess && d.Verdict != VerdictMore && d.takesTooMany():
		return fmt.Sprintf("~ no difference shown: less than %s apart (%d %s)", Value(d.Measure, max(-*d.Low, *d.High)), d.N, units)
	case d.Verdict != VerdictLess && d.Verdict != VerdictMore:
		return fmt.Sprintf("~ no difference shown: between %s and %s (%d %s%s)", d.signed(*d.Low), d.signed(*d.High), d.N, units, d.settle())
	}
	near, far := *d.Low, *d.High
	if d.Verdict == VerdictLess {
		near, far = -*d.High, -*d.Low
	}
	return fmt.Sprintf("%s (95 %% interval: %s to %s, %d %s)", d.signed(*d.Delta), Value(d.Measure, near), Value(d.Measure, far), d.N, units)
}

// maxWorthwhile is how many pairs a text may ask for. Where more would be needed it says how small the difference must be.
const maxWorthwhile = 10_000

// takesTooMany reports that showing the difference would take more pairs than anybody will have.
func (d Difference) takesTooMany() bool {
	n, ok := d.Enough()
	return ok && n > maxWorthwhile
}

// settle says what would settle a difference that is not shown.
func (d Difference) settle() string {
	n, ok := d.Enough()
	if !ok {
		return ""
	}
	each := " each"
	if d.Paired {
		each = ""
	}
	return fmt.Sprintf("; %d%s would show %s", n, each, d.signed(*d.Delta))
}

// signed writes a difference with the word less or more.
func (d Difference) signed(v float64) string {
	switch {
	case v < 0:
		return Value(d.Measure, -v) + " less"
	case v > 0:
		return Value(d.Measure, v) + " more"
	}
	return "no difference"
}
