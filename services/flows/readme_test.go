package flows

import (
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

// TestReadmeHasTheFlow: the table in README is the flow's.
func TestReadmeHasTheFlow(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := table(Order()); !strings.Contains(string(readme), want) {
		t.Errorf("README has another table than\n%s", want)
	}
}
