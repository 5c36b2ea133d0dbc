package lint

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"tracelab/journey"
	"tracelab/journey/format"
)

// WriteRules writes a line for each rule: its id, its level, and what it finds.
func WriteRules(w io.Writer, style format.Style, rules []Rule) error {
	var b strings.Builder
	for _, r := range rules {
		b.WriteString("  " + fmt.Sprintf("%-4s  ", r.ID) + style.Paint(r.Level.color(), fmt.Sprintf("%-7s", r.Level)) + "  ")
		b.WriteString(strings.TrimLeft(style.Paragraph("                 ", "                 ", r.Finds), " "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Explain writes a rule with all its fields.
func (r Rule) Explain(w io.Writer, style format.Style) error {
	text := style.Paragraph("", "  ", fmt.Sprintf("%s, %s: %s", r.ID, r.Level, r.Finds)) + style.Paragraph("  ", "    ", "fix: "+r.Fix)
	if r.Convention != "" {
		text += "  semantic conventions: " + r.Convention + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// WriteRulesJSON writes rules as tracelab.lint.rules/v1.
func WriteRulesJSON(w io.Writer, rules []Rule) error {
	type ruleDocument struct {
		ID         journey.RuleID `json:"id"`
		Level      string         `json:"level"`
		Finds      string         `json:"finds"`
		Fix        string         `json:"fix"`
		Convention string         `json:"convention,omitempty"`
	}
	list := make([]ruleDocument, len(rules))
	for i, r := range rules {
		list[i] = ruleDocument{r.ID, r.Level.String(), r.Finds, r.Fix, r.Convention}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"schema": "tracelab.lint.rules/v1", "rules": list})
}
