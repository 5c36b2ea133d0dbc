package lint

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"tracelab/journey"
	"tracelab/journey/format"
)

// DefaultExamples is how many findings of a rule WriteText writes for examples of 0.
const DefaultExamples = 3

// WriteText writes the result for people: the findings by rule, each rule with how many there are, the first few examples,
// and what to do. Names come from whoever made the traces, so characters that a terminal would obey are shown as escapes.
func (r Result) WriteText(w io.Writer, style format.Style, examples int) error {
	if examples <= 0 {
		examples = DefaultExamples
	}
	var b strings.Builder
	rules := make(map[journey.RuleID]Rule)
	for _, rule := range r.Rules {
		rules[rule.ID] = rule
	}
	for from := 0; from < len(r.Findings); {
		to := from
		for to < len(r.Findings) && r.Findings[to].Rule == r.Findings[from].Rule {
			to++
		}
		section(&b, rules[r.Findings[from].Rule], r.Findings[from:to], style, examples)
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
func section(b *strings.Builder, rule Rule, findings []Finding, style format.Style, examples int) {
	level := findings[0].Level
	title := fmt.Sprintf("%s %s: %d", format.Escape(string(findings[0].Rule)), level, len(findings))
	if rule.Finds != "" {
		title += " × " + rule.Finds
	}
	painted := strings.Replace(style.Paragraph("", "  ", title), level.String(), style.Paint(level.color(), level.String()), 1)
	b.WriteString(painted)
	shown := findings[:min(examples, len(findings))]
	same := true
	for _, f := range findings {
		same = same && f.Fix == findings[0].Fix
	}
	for _, f := range shown {
		b.WriteString(style.Paragraph("  ", "    ", format.Escape(f.Text)))
		fmt.Fprintf(b, "      trace %s span %s\n", f.Trace, f.Span)
		if !same {
			b.WriteString(style.Paragraph("      ", "        ", "fix: "+format.Escape(f.Fix)))
		}
	}
	if more := len(findings) - len(shown); more > 0 {
		fmt.Fprintf(b, "  and %d more\n", more)
	}
	if same {
		b.WriteString(style.Paragraph("  ", "    ", "fix: "+format.Escape(findings[0].Fix)))
	}
	if rule.Convention != "" {
		fmt.Fprintf(b, "  semantic conventions: %s\n", rule.Convention)
	}
	b.WriteString("\n")
}

func (l Level) color() format.Color {
	switch l {
	case LevelError:
		return format.Red
	case LevelWarning:
		return format.Yellow
	default:
		return format.Cyan
	}
}

func counted(n int, word string) string {
	if n != 1 && word != "advice" {
		word += "s"
	}
	return strconv.Itoa(n) + " " + word
}
