package experiments

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"tracelab/journey/format"
)

// WriteList writes the claims with their sentences and the seconds that they take.
func WriteList(w io.Writer, claims []Claim, style format.Style) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	total := 0.0
	for _, c := range claims {
		total += c.Budget.Seconds()
		_, _ = fmt.Fprintf(t, "%s\t%3.0f s\t%s\n", c.Name, c.Budget.Seconds(), c.Statement) // a strings.Builder takes all
	}
	_ = t.Flush()
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, cut(strings.TrimRight(line, "\n"), style.Columns()))
	}
	_, err := fmt.Fprintf(w, "%s\n\n%d claims, about %.0f s for all of them. Give some by name, or all.\n", strings.Join(lines, "\n"), len(claims), total)
	return err
}

// listed is a claim in a list.
type listed struct {
	Name      string  `json:"name"`
	Statement string  `json:"statement"`
	Rule      string  `json:"rule"`
	Delta     Amount  `json:"delta"`
	Kind      Kind    `json:"kind"`
	Size      Size    `json:"size"`
	Budget    float64 `json:"budget_s"`
}

// WriteListJSON writes the claims, without verdicts.
func WriteListJSON(w io.Writer, claims []Claim) error {
	list := make([]listed, len(claims))
	for i, c := range claims {
		list[i] = listed{c.Name, c.Statement, c.Rule, c.Delta, c.Kind, c.Size, c.Budget.Seconds()}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	return encoder.Encode(map[string]any{"schema": Schema, "claims": list})
}

// WriteSummary writes where the figures come from, where they are, and, of several claims, all verdicts.
func (l *Ledger) WriteSummary(w io.Writer, style format.Style) error {
	var b strings.Builder
	if len(l.Claims) > 1 {
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, r := range l.Claims {
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", r.Verdict, r.Name, r.Statement)
		}
		_ = t.Flush()
		var lines []string
		for line := range strings.Lines(b.String()) {
			lines = append(lines, cut(strings.TrimRight(line, "\n"), style.Columns()))
		}
		b.Reset()
		b.WriteString(strings.Join(lines, "\n") + "\n\n")
	}
	if l.Go != "" {
		b.WriteString(style.Paragraph("", "  ", "figures from: "+l.from()))
	}
	b.WriteString(style.Paragraph("", "  ", "all of it: "+filepath.Join(l.Dir, LedgerFile)))
	_, err := io.WriteString(w, b.String())
	return err
}

// from says where the figures come from.
func (l *Ledger) from() string {
	text := fmt.Sprintf("%s; %s, %d cores, %s; tracelab %s; seed %d", l.BrokerIs, strings.TrimSpace(l.Machine.OS+"/"+l.Machine.Arch+" "+l.Machine.CPU), l.Machine.Cores, l.Go, l.Version, l.Seed)
	if k := l.Constants; k != nil {
		text += fmt.Sprintf("; measured on an idle lab: the way in and back %s, a hop %s, an acknowledgement %s, a queue %s, a step beyond its waiting %s",
			format.Duration(k.Front), format.Duration(k.Hop), format.Duration(k.Ack), format.Duration(k.Queue), format.Duration(k.Step))
	}
	return text
}
