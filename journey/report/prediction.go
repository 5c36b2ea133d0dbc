package report

import (
	"fmt"
	"io"
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
}

// PredictSchema is the schema of a prediction's JSON.
const PredictSchema = "tracelab.predict/v1"

// predictedColumn is a set of figures in a prediction's table.
type predictedColumn struct {
	name string
	of   predict.Summary
}

func (r Prediction) columns() []predictedColumn {
	list := []predictedColumn{{"measured", r.Of.Measured}, {"predicted", r.Of.Predicted}}
	if r.Check != nil {
		list = append(list, predictedColumn{"measured in " + format.Escape(r.Check.Name), r.Check.Measured})
	}
	return list
}

// predictedRow is a measure in a prediction's table.
type predictedRow struct {
	Measure string
	Values  []string // by column
	Change  string   // predicted against measured
	Class   string   // of the change: less, more, unsure
	Off     string   // predicted against measured in the checked set
}

func (r Prediction) rows() []predictedRow {
	var rows []predictedRow
	for n, measure := range []string{compare.CallerWait, compare.Completion, compare.Tail} {
		row := predictedRow{Measure: measureWords(measure)}
		for _, c := range r.columns() {
			of := []*compare.Summary{c.of.CallerWait, c.of.Completion, c.of.Tail}[n]
			row.Values = append(row.Values, compare.MeasureSummary{Measure: measure, Summary: of}.String())
		}
		for _, d := range r.Of.Changes {
			if d.Measure == measure {
				row.Change, row.Class = format.Escape(d.String()), verdictClass(d.Verdict)
			}
		}
		if r.Check != nil {
			row.Off = offWords(r.Check, measure)
		}
		rows = append(rows, row)
	}
	return rows
}

// offWords says how far a prediction is off.
func offWords(c *predict.Check, measure string) string {
	for _, x := range c.Residuals {
		if x.Measure != measure || x.Median == nil {
			continue
		}
		words := "as measured in " + format.Escape(c.Name)
		switch {
		case *x.Median > 0:
			words = format.Milliseconds(*x.Median) + " more than measured in " + format.Escape(c.Name)
		case *x.Median < 0:
			words = format.Milliseconds(-*x.Median) + " less than measured in " + format.Escape(c.Name)
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
	return "–"
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
		}
		rows = append(rows, constantRow{x.name, format.Duration(x.of.Value), x.what, source})
	}
	return rows
}

// warnings returns the warnings of the prediction and of its check.
func (r Prediction) warnings() []string {
	var list []string
	for _, text := range r.Of.Warnings {
		list = append(list, format.Escape(text))
	}
	if r.Check != nil {
		for _, text := range r.Check.Warnings {
			list = append(list, format.Escape(text))
		}
	}
	return list
}

// WriteText writes what was turned, the figures measured and predicted with the 95 % interval of the median, what the
// constants are and where they come from, and what the prediction does not know.
func (r Prediction) WriteText(w io.Writer, style format.Style) error {
	var b strings.Builder
	for _, line := range r.About {
		b.WriteString(format.Escape(line) + "\n")
	}
	fmt.Fprintf(&b, "%d %s as they would be with other carriers:\n", len(r.Of.Journeys), plural("journey", len(r.Of.Journeys)))
	var turned [][]cell
	for _, t := range r.Of.Turned {
		turned = append(turned, []cell{left(format.Escape(t.Hop)), number(fmt.Sprint(t.N)), left(turnedWords(t))})
	}
	table(&b, style, "  ", turned)
	b.WriteString("\n")
	head := []cell{left("median [95 % interval]")}
	for _, c := range r.columns() {
		head = append(head, left(c.name))
	}
	rows := [][]cell{head}
	for _, row := range r.rows() {
		cells := []cell{left(row.Measure)}
		for _, v := range row.Values {
			cells = append(cells, left(v))
		}
		rows = append(rows, cells)
	}
	table(&b, style, "", rows)
	heading(&b, style, "Predicted against measured, journey by journey")
	r.lines(&b, style, func(row predictedRow) (string, string) { return row.Change, row.Class })
	if r.Check != nil {
		heading(&b, style, "How far the prediction is off")
		r.lines(&b, style, func(row predictedRow) (string, string) { return row.Off, "unsure" })
	}
	if list := r.constants(); len(list) > 0 {
		heading(&b, style, "What a hop is taken to cost")
		var rows [][]cell
		for _, c := range list {
			rows = append(rows, []cell{left(c.Name), number(c.Value), left(c.Source), left(c.What)})
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

// lines writes a line for each measure.
func (r Prediction) lines(b *strings.Builder, style format.Style, of func(predictedRow) (words, class string)) {
	var rows [][]cell
	for _, row := range r.rows() {
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
