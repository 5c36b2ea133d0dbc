package flows

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// table is the flow as a table in Markdown: what carries each step in each form.
func table(f *Flow) string {
	var b strings.Builder
	b.WriteString("| step |")
	for _, form := range f.Forms() {
		fmt.Fprintf(&b, " %s |", form)
	}
	b.WriteString(" topic of the message |\n|---|" + strings.Repeat("---|", len(f.Columns)+1) + "\n")
	for _, row := range f.Rows {
		fmt.Fprintf(&b, "| %s |", row.Step)
		for _, form := range f.Forms() {
			p, err := f.Plan(form)
			if err != nil {
				panic(err) // a flow that was read has a plan for each form
			}
			hop, _ := p.Hop(row.Step)
			fmt.Fprintf(&b, " %s |", hop.By)
		}
		if row.Message != "" {
			fmt.Fprintf(&b, " `%s`", row.Message)
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

// update writes the tables that a test would miss: `task generate`.
var update = flag.Bool("update", false, "write the tables of flows into docs/flows.md")

// The lines between which the table of a flow stands.
const (
	tableBegins = "<!-- flow %s: `task generate` writes this table -->\n"
	tableEnds   = "<!-- end of flow %s -->\n"
)

// withTable returns a text with the table of a flow between its two lines.
func withTable(text string, f *Flow) (string, error) {
	before, rest, ok := strings.Cut(text, fmt.Sprintf(tableBegins, f.Name))
	_, after, too := strings.Cut(rest, fmt.Sprintf(tableEnds, f.Name))
	if !ok || !too {
		return "", fmt.Errorf("the table of the flow %s has no place: put two lines there, %q and %q", f.Name, fmt.Sprintf(tableBegins, f.Name), fmt.Sprintf(tableEnds, f.Name))
	}
	return before + fmt.Sprintf(tableBegins, f.Name) + table(f) + fmt.Sprintf(tableEnds, f.Name) + after, nil
}

// TestThePageHasTheFlow: the table in docs/flows.md is the flow's.
func TestThePageHasTheFlow(t *testing.T) {
	const file = "../../docs/flows.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := withTable(string(page), Order())
	switch {
	case err != nil:
		t.Fatal(err)
	case want == string(page):
	case *update:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/flows.md has another table than the flow (task generate writes it):\n%s", table(Order()))
	}
}

// TestAnotherFlowIsAnotherTable: a cell that differs is written, and a page without a place for the table is an error.
func TestAnotherFlowIsAnotherTable(t *testing.T) {
	f, err := Parse("order.yaml", []byte("flow: order\nsteps: {a.Do: {wait: 1ms}, b.Do: {after: a.Do, message: x}}\nforms: {one: {each: grpc}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	text := "above\n" + fmt.Sprintf(tableBegins, "order") + "| old |\n" + fmt.Sprintf(tableEnds, "order") + "below\n"
	got, err := withTable(text, f)
	if want := strings.Replace(text, "| old |\n", table(f), 1); err != nil || got != want || !strings.Contains(got, "| b.Do | grpc | `x` |") {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := withTable("no place", f); err == nil {
		t.Error("no place, and no error")
	}
}
