package lint

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"tracelab/journey/internal/printable"
)

// DefaultExamples is how many findings of a rule are shown when Style does not say.
const DefaultExamples = 3

// Style says how text may look. The zero Style is plain text with DefaultExamples.
type Style struct {
	Color    bool // ANSI colours for the levels
	Examples int  // how many findings of each rule are shown
}

// Text writes a result for people: the findings by rule, each rule with how many there are, the first few, and what to
// do. Names come from whoever made the traces, so characters that a terminal would obey are shown as escapes.
func Text(w io.Writer, r Result, style Style) error {
	var b strings.Builder
	rules := make(map[string]Rule)
	for _, rule := range Rules() {
		rules[rule.ID] = rule
	}
	for from := 0; from < len(r.Findings); {
		to := from
		for to < len(r.Findings) && r.Findings[to].Rule == r.Findings[from].Rule {
			to++
		}
		section(&b, rules[r.Findings[from].Rule], r.Findings[from:to], style)
		from = to
	}
	if len(r.Findings) == 0 {
		b.WriteString("No findings.\n")
	} else {
		fmt.Fprintf(&b, "%s, %s, %s\n", counted(r.Counts.Error, "error"), counted(r.Counts.Warning, "warning"), counted(r.Counts.Advice, "advice"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// section writes the findings of one rule. Advice that all of them share stands once, at the end.
func section(b *strings.Builder, rule Rule, findings []Finding, style Style) {
	level := findings[0].Level
	fmt.Fprintf(b, "%s %s: %d × %s\n", findings[0].Rule, style.paint(level), len(findings), rule.Finds)
	n := style.Examples
	if n <= 0 {
		n = DefaultExamples
	}
	shown := findings[:min(n, len(findings))]
	same := true
	for _, f := range findings {
		same = same && f.Fix == findings[0].Fix
	}
	for _, f := range shown {
		fmt.Fprintf(b, "  %s\n      trace %s span %s\n", printable.Escape(f.Text), f.Trace, f.Span)
		if !same {
			fmt.Fprintf(b, "      fix: %s\n", printable.Escape(f.Fix))
		}
	}
	if more := len(findings) - len(shown); more > 0 {
		fmt.Fprintf(b, "  and %d more\n", more)
	}
	if same {
		fmt.Fprintf(b, "  fix: %s\n", printable.Escape(findings[0].Fix))
	}
	if rule.Convention != "" {
		fmt.Fprintf(b, "  semantic conventions: %s\n", rule.Convention)
	}
	b.WriteString("\n")
}

func (s Style) paint(l Level) string {
	if !s.Color {
		return l.String()
	}
	color := "\x1b[36m"
	switch l {
	case Error:
		color = "\x1b[31m"
	case Warning:
		color = "\x1b[33m"
	case Advice:
	}
	return color + l.String() + "\x1b[0m"
}

func counted(n int, word string) string {
	if n != 1 && word != "advice" {
		word += "s"
	}
	return strconv.Itoa(n) + " " + word
}
