package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/journey/predict"
)

// Prediction is a report of how long journeys would take with other carriers, and how long they took.
type Prediction struct {
	Of    predict.Prediction
	Check *predict.Check // nil when nothing was measured with the other carriers
	About []string       // where the traces come from, a line each
	From  string         // what they are called, for the title of a page

	// Doubts say why times are not only the system's: see compare.Doubts. Doubtful are then those of the journeys and of what hops are
	// taken to cost, CheckDoubtful those that were measured with the other carriers. Whatever is said of such times is marked.
	Doubts                  []string
	Doubtful, CheckDoubtful bool
}

// PredictSchema is the schema of a prediction's JSON.
const PredictSchema = "tracelab.predict/v1"

// predictedColumn is a set of figures in a prediction's table.
type predictedColumn struct {
	name     string
	of       predict.Summary
	doubtful bool
}

// predictionPart is what is predicted of the journeys of one root, or of all where they have one.
type predictionPart struct {
	Title     string // the root, "" where there is one part
	Journeys  int
	Columns   []string
	Rows      []predictedRow
	Pictures  []predictionPicture
	columns   []predictedColumn
	changes   []compare.Difference
	residuals []predict.Residual
	checked   string // the set that was measured, "" without one
	doubtful  bool   // how far the prediction is off
}

func (r Prediction) parts() []predictionPart {
	measured := func(of predict.Summary) predictedColumn {
		return predictedColumn{"measured in " + format.Escape(r.Check.Name), of, r.CheckDoubtful}
	}
	own := func(measured, predicted predict.Summary) []predictedColumn {
		return []predictedColumn{{"measured", measured, r.Doubtful}, {"predicted", predicted, r.Doubtful}}
	}
	either := r.Doubtful || r.CheckDoubtful
	if r.Of.Roots == nil {
		p := predictionPart{Journeys: len(r.Of.Journeys), changes: r.changes(), doubtful: either}
		p.columns = own(r.Of.Measured, r.Of.Predicted)
		if r.Check != nil {
			p.columns, p.residuals, p.checked = append(p.columns, measured(r.Check.Measured)), r.Check.Residuals, r.Check.Name
		}
		return []predictionPart{p.filled()}
	}
	var parts []predictionPart
	for i, x := range r.Of.Roots {
		p := predictionPart{Title: format.Escape(x.Root.String()), Journeys: x.Journeys, doubtful: either}
		for _, d := range r.changes() {
			if d.Root == x.Root.String() {
				p.changes = append(p.changes, d)
			}
		}
		p.columns = own(x.Measured, x.Predicted)
		if r.Check != nil && i < len(r.Check.Roots) {
			of := r.Check.Roots[i]
			p.columns, p.residuals, p.checked = append(p.columns, measured(of.Measured)), of.Residuals, r.Check.Name
		}
		parts = append(parts, p.filled())
	}
	return parts
}

// changes are those of the prediction, marked where the times are not only the system's.
func (r Prediction) changes() []compare.Difference {
	list := slices.Clone(r.Of.Changes)
	for i := range list {
		list[i].Doubtful = list[i].Doubtful || r.Doubtful
	}
	return list
}

// filled makes the rows and pictures of a part.
func (p predictionPart) filled() predictionPart {
	for _, c := range p.columns {
		p.Columns = append(p.Columns, c.name)
	}
	p.Rows = p.rows()
	p.Pictures = p.pictures()
	return p
}

// predictedRow is a measure in a prediction's table.
type predictedRow struct {
	Measure string
	Values  []string // by column
	Change  string   // predicted against measured
	Class   string   // of the change: less, more, unsure
	Off     string   // predicted against measured in the checked set
}

func (p predictionPart) rows() []predictedRow {
	var rows []predictedRow
	for n, measure := range []string{compare.CallerWait, compare.Completion, compare.Tail} {
		row := predictedRow{Measure: measureWords(measure)}
		for _, c := range p.columns {
			of := []*compare.Summary{c.of.CallerWait, c.of.Completion, c.of.Tail}[n]
			row.Values = append(row.Values, compare.MeasureSummary{Measure: measure, Summary: of, Doubtful: c.doubtful}.String())
		}
		for _, d := range p.changes {
			if d.Measure == measure {
				row.Change, row.Class = format.Escape(d.String()), verdictClass(d.Verdict)
			}
		}
		if p.checked != "" {
			row.Off = offWords(p.checked, p.residuals, measure)
			if p.doubtful && row.Off != nothing {
				row.Off += " " + compare.Doubtful
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// nothing stands where there is no figure.
const nothing = "–"

// offWords says how far a prediction is off.
func offWords(name string, residuals []predict.Residual, measure string) string {
	name = format.Escape(name)
	for _, x := range residuals {
		if x.Measure != measure || x.Median == nil {
			continue
		}
		words := "as measured in " + name
		switch {
		case *x.Median > 0:
			words = format.Milliseconds(*x.Median) + " more than measured in " + name
		case *x.Median < 0:
			words = format.Milliseconds(-*x.Median) + " less than measured in " + name
		}
		if x.N == 0 {
			return words + " (medians, without pairs)"
		}
		words += fmt.Sprintf(" (median of %d %s", x.N, plural("pair", x.N))
		if x.P95 != nil {
			words += "; 95 % of them within " + format.Milliseconds(*x.P95)
		}
		return words + ")"
	}
	return nothing
}

// turnedWords says how a hop was turned.
func turnedWords(t predict.Turned) string {
	if t.From == "" {
		return fmt.Sprintf("the caller's own work comes back by a %s", t.To)
	}
	return fmt.Sprintf("a %s in the place of a %s", t.To, t.From)
}

// constantRow is a constant in a report.
type constantRow struct{ Name, Value, What, Source string }

func (r Prediction) constants() []constantRow {
	var rows []constantRow
	c := r.Of.Constants
	for _, x := range []struct {
		name, what string
		of         predict.Constant
	}{
		{"publish", "how long a message holds its sender", c.Publish},
		{"delivery", "from the start of a publish to the start of the handling", c.Delivery},
		{"call", "request and response: a client's time less its server's", c.Call},
	} {
		if !x.of.Used {
			continue
		}
		source := format.Escape(x.of.Source)
		if x.of.N > 0 {
			source += fmt.Sprintf(", median of %d", x.of.N)
			if r.Doubtful {
				source += " " + compare.Doubtful
			}
		}
		rows = append(rows, constantRow{x.name, format.Duration(x.of.Value), x.what, source})
	}
	return rows
}

// allWarnings are what the prediction and its check do not know, and what makes their times doubtful.
func (r Prediction) allWarnings() []string {
	return slices.Concat(r.Of.Warnings, checkWarnings(r.Check), r.Doubts)
}

// warnings are allWarnings, ready to be shown.
func (r Prediction) warnings() []string {
	var list []string
	for _, text := range r.allWarnings() {
		list = append(list, format.Escape(text))
	}
	return list
}

// WriteText writes what was turned, the figures measured and predicted with the 95 % interval of the median, what the
// constants are and where they come from, and what the prediction does not know.
func (r Prediction) WriteText(w io.Writer, style format.Style) error {
	var b strings.Builder
	for _, line := range r.About {
		b.WriteString(style.Paragraph("", "  ", format.Escape(line)))
	}
	fmt.Fprintf(&b, "%d %s as they would be with other carriers%s:\n", len(r.Of.Journeys), plural("journey", len(r.Of.Journeys)), r.leftOut())
	var turned [][]cell
	for _, t := range r.Of.Turned {
		turned = append(turned, []cell{left(format.Escape(t.Hop)), number(fmt.Sprint(t.N)), left(turnedWords(t))})
	}
	table(&b, style, "  ", turned)
	parts := r.parts()
	for i, p := range parts {
		if i == maxRootParts {
			fmt.Fprintf(&b, "\nand %d more roots\n", len(parts)-i)
			break
		}
		p.text(&b, style)
	}
	if list := r.constants(); len(list) > 0 {
		heading(&b, style, "What a hop is taken to cost")
		var rows [][]cell
		for _, c := range list {
			rows = append(rows, []cell{left(c.Name), number(c.Value), left(c.Source), left(c.What)})
		}
		if tableWidth("  ", rows) > style.Columns() { // the last two as one, which can be broken anywhere
			for i, c := range list {
				rows[i] = append(rows[i][:2], left(c.Source+": "+c.What))
			}
		}
		table(&b, style, "  ", rows)
	}
	heading(&b, style, "What this does not know")
	for _, text := range r.warnings() {
		b.WriteString(style.Paragraph("  ", "    ", text))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// leftOut says how many journeys are in no figure.
func (r Prediction) leftOut() string {
	if r.Of.Incomplete == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d more are incomplete, and in no figure)", r.Of.Incomplete)
}

// text writes the figures of one root.
func (p predictionPart) text(b *strings.Builder, style format.Style) {
	b.WriteString("\n")
	if p.Title != "" {
		b.WriteString(style.Paint(format.Bold, fmt.Sprintf("── %s: %d %s ──", p.Title, p.Journeys, plural("journey", p.Journeys))) + "\n")
	}
	head := []cell{left("median [95 % interval]")}
	for _, name := range p.Columns {
		head = append(head, left(name))
	}
	rows := [][]cell{head}
	for _, row := range p.Rows {
		cells := []cell{left(row.Measure)}
		for _, v := range row.Values {
			cells = append(cells, left(v))
		}
		rows = append(rows, cells)
	}
	figureTable(b, style, "", 1, rows)
	heading(b, style, "Predicted against measured, journey by journey")
	p.lines(b, style, func(row predictedRow) (string, string) { return row.Change, row.Class })
	if p.checked != "" {
		heading(b, style, "How far the prediction is off")
		p.lines(b, style, func(row predictedRow) (string, string) { return row.Off, "unsure" })
	}
}

// lines writes a line for each measure.
func (p predictionPart) lines(b *strings.Builder, style format.Style, of func(predictedRow) (words, class string)) {
	var rows [][]cell
	for _, row := range p.Rows {
		words, class := of(row)
		if words == "" {
			continue
		}
		c := left(words)
		c.color = map[string]format.Color{"less": format.Green, "more": format.Red}[class]
		rows = append(rows, []cell{left(row.Measure), c})
	}
	table(b, style, "  ", rows)
}
