package experiments

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"tracelab/experiments/verdict"
	"tracelab/journey/format"
)

// cut shortens a line to a width.
func cut(line string, width int) string {
	if r := []rune(line); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return line
}

// WriteText writes the verdict with its figures, on one screen.
func (r *Report) WriteText(w io.Writer, style format.Style) error {
	b := &strings.Builder{}
	width := style.Columns()
	b.WriteString(style.Paint(format.Bold, strings.TrimSuffix(style.Paragraph("", "  ", r.Name+": "+r.Statement), "\n")) + "\n")
	word := strings.ToUpper(string(r.Verdict))
	fmt.Fprintf(b, "%s  %s\n", style.Paint(wordColor(r.Verdict), word), cut(r.sizeWords(), max(20, width-len(word)-2)))
	if len(r.Changed) > 0 {
		b.WriteString(style.Paragraph("  ", "    ", "not at its default size: "+strings.Join(r.Changed, ", ")))
	}
	if r.Verdict == verdict.NotShown || r.Verdict == verdict.NotValid {
		b.WriteString(style.Paragraph("  ", "    ", r.reason()))
	}
	b.WriteString("\n")
	r.parts(b, width)
	r.measured(b, width)
	r.gates(b, style)
	if e := r.Evidence; e != nil {
		b.WriteString(style.Paragraph("", "  ", fmt.Sprintf("look for: %s (%d of %d journeys of %s)", e.Look, e.Seen, e.Of, e.Form)))
		fmt.Fprintf(b, "  %s\n", e.Open)
	}
	b.WriteString(style.Paragraph("", "  ", fmt.Sprintf("holds when: %s (δ %s)", r.Rule, r.Delta)))
	_, err := io.WriteString(w, b.String())
	return err
}

// reason says what is missing to a verdict, without the figures that stand in the table anyway.
func (r *Report) reason() string {
	switch {
	case r.Verdict == verdict.NotValid:
		return "a gate failed: these figures say nothing"
	case r.Alone != "":
		return r.Why
	case r.Settle != nil:
		return fmt.Sprintf("%d %s would settle it (%s), if the figures stay as they are", r.Settle.N, r.Settle.Unit, r.Settle.Part)
	}
	return "no number of repetitions would settle it, if the figures stay as they are"
}

// sizeWords says how much was done.
func (r *Report) sizeWords() string {
	text := fmt.Sprintf("%d orders a form", r.Size.Orders)
	if r.Size.Rate > 0 {
		text += fmt.Sprintf(", %g/s", r.Size.Rate)
	}
	if r.Kind == Repeated {
		text += ", " + several(r.Size.Seeds, "run") + " an arm"
	}
	return fmt.Sprintf("%s, seed %d; took %.0f s", text, r.Size.Seed, r.Took)
}

func wordColor(word verdict.Word) format.Color {
	switch word {
	case verdict.Holds:
		return format.Green
	case verdict.DoesNotHold:
		return format.Red
	case verdict.NotValid:
		return format.Yellow
	case verdict.NotShown:
	}
	return format.Bold
}

// parts writes what decides, and what is shown beside it.
func (r *Report) parts(b *strings.Builder, width int) {
	if len(r.Parts)+len(r.Beside) == 0 {
		return
	}
	rows := [][]string{{"what decides", "measured", r.level() + " interval", "want", ""}}
	for _, p := range append(append([]PartReport{}, r.Parts...), r.Beside...) {
		rows = append(rows, []string{"  " + p.Name, p.value(), interval(p.Low, p.High), p.Want, string(p.Verdict)})
	}
	table(b, width, rows)
}

func (p PartReport) value() string {
	if p.Infinite {
		return "failed"
	}
	return number(p.Value)
}

// mostFigures is how many figures fit a screen.
const mostFigures = 12

// measured writes predicted and measured figures.
func (r *Report) measured(b *strings.Builder, width int) {
	if len(r.Figures) == 0 {
		return
	}
	rows := [][]string{{"figures", "predicted", "measured", "residual", "95 % interval", "n"}}
	more := 0
	for _, m := range r.Figures {
		if m.Per == PerPoint {
			continue
		}
		if len(rows) > mostFigures {
			more++
			continue
		}
		rows = append(rows, []string{strings.TrimRight(fmt.Sprintf("  %s, %s", m.Arm, m.measure()), ", "), number(m.Predicted), m.value(), number(m.Residual), interval(m.Low, m.High), m.n()})
	}
	if more > 0 {
		rows = append(rows, []string{fmt.Sprintf("  and %d more, in %s", more, LedgerFile), "", "", "", "", ""})
	}
	table(b, width, rows)
}

// measure names what was measured, with its unit.
func (m Measured) measure() string { return strings.TrimSuffix(m.Measure+", "+m.Unit, ", ") }

// value is what was measured: hits of so many, or a number.
func (m Measured) value() string {
	if m.Of > 0 {
		return fmt.Sprintf("%d/%d", m.Hits, m.Of)
	}
	if m.Measured == nil && slices.ContainsFunc(m.Values, func(v float64) bool { return math.IsInf(v, 1) }) {
		return "failed"
	}
	return number(m.Measured)
}

// n is how many orders or runs there are.
func (m Measured) n() string {
	if m.Runs > 0 {
		return several(m.Runs, "run")
	}
	return fmt.Sprint(m.N)
}

// several writes a number of things: 1 run, 5 runs.
func several(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// level is the confidence of the intervals that decide.
func (r *Report) level() string {
	if r.verdict.Among > 0 {
		return fmt.Sprintf("%.4g %%", 100*r.verdict.Confidence)
	}
	return "95 %"
}

// gates names the failed ones, and the others in brief.
func (r *Report) gates(b *strings.Builder, style format.Style) {
	for _, g := range r.Failed() {
		b.WriteString(style.Paragraph("  ", "    ", fmt.Sprintf("gate FAILED: %s: %s; %s", g.Name, g.Measured, g.Change)))
	}
	if passed := r.passed(); len(passed) > 0 {
		b.WriteString(style.Paragraph("  ", "    ", fmt.Sprintf("gates passed: %s", strings.Join(passed, ", "))))
	}
	b.WriteString("\n")
}

// passed names the gates that passed; the residuals are counted.
func (r *Report) passed() []string {
	var passed []string
	residuals := 0
	for _, g := range r.Gates {
		switch {
		case !g.Passed:
		case strings.HasPrefix(g.Name, "residual of "):
			residuals++
		default:
			passed = append(passed, g.Name)
		}
	}
	switch residuals {
	case 0:
	case 1:
		passed = append(passed, "1 residual in its band")
	default:
		passed = append(passed, fmt.Sprintf("%d residuals in their bands", residuals))
	}
	return passed
}

func number(v *float64) string {
	if v == nil {
		return "-"
	}
	return short(*v)
}

func interval(low, high *float64) string {
	switch {
	case low == nil && high == nil:
		return "-"
	case low == nil:
		return "up to " + short(*high)
	case high == nil:
		return "from " + short(*low)
	}
	return short(*low) + " to " + short(*high)
}

// table writes rows in columns; the first column is cut so that a row fits the width.
func table(b *strings.Builder, width int, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	rest := 0
	for _, w := range widths[1:] {
		rest += w + 2
	}
	widths[0] = max(12, min(widths[0], width-rest))
	for _, row := range rows {
		line := pad(cut(row[0], widths[0]), widths[0], false)
		for i, cell := range row[1:] {
			left := cell != "" && (cell[0] < '0' || cell[0] > '9') && cell[0] != '-' && i > 1
			line += "  " + pad(cell, widths[i+1], !left)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteString("\n")
}

func pad(s string, width int, right bool) string {
	space := strings.Repeat(" ", max(0, width-len([]rune(s))))
	if right {
		return space + s
	}
	return s + space
}
