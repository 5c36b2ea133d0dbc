package experiments

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"tracelab/experiments/verdict"
)

// ReadRecord reads the ledgers of a folder as one, and corrects its verdicts together. Claims of a later file, in the order of their names,
// take the place of those in an earlier one: claims.json has what an embedded broker can show, embedded.json what was recorded again of it because
// a gate had failed, kafka.json what needs a real one.
func ReadRecord(dir fs.FS) (*Ledger, error) {
	files, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("there is no record: task claims:record makes one")
	}
	slices.Sort(files)
	var all *Ledger
	for _, file := range files {
		l, err := readLedger(dir, file)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = l
			continue
		}
		for _, r := range l.Claims {
			if i := slices.IndexFunc(all.Claims, func(x Report) bool { return x.Name == r.Name }); i >= 0 {
				all.Claims[i] = r
			} else {
				all.Claims = append(all.Claims, r)
			}
		}
	}
	order := map[string]int{}
	for i, c := range All() {
		order[c.Name] = i
	}
	slices.SortStableFunc(all.Claims, func(a, b Report) int { return cmp.Compare(order[a.Name], order[b.Name]) })
	all.Correct()
	return all, nil
}

// WriteMarkdown writes a record as a page; dir is the record's folder as the page names it.
func (l *Ledger) WriteMarkdown(w io.Writer, dir string) error {
	var b strings.Builder
	b.WriteString("# What is said of sync and async, and what one recorded run shows\n\n")
	b.WriteString("This page is made by `task claims:doc` from a recorded run ([claims](claims)); a test fails when they differ. `tracelab claims NAME` does any of it again, ")
	b.WriteString("[Adding a claim](adding-a-claim.md) says how it is judged.\n\n")
	fmt.Fprintf(&b, "Recorded %s. Figures from: %s.\n\n", l.Began.Format("2 January 2006"), l.from())
	fmt.Fprintf(&b, "All %d verdicts are corrected together (Holm): the probability that any *holds* or *does not hold* among them is there by chance is at most 5 %%. ", len(l.Claims))
	b.WriteString("So the intervals of those are wider than 95 %, as their tables say. *Not shown* says that this run decides nothing, *not valid* that a gate failed; neither says that the sentence is wrong.\n\n")
	b.WriteString("| verdict | claim | the sentence | what decides |\n|---|---|---|---|\n")
	for i := range l.Claims {
		r := &l.Claims[i]
		fmt.Fprintf(&b, "| **%s** | [%s](#%s) | %s | %s |\n", r.Verdict, r.Name, r.Name, cell(r.Statement), cell(r.decides()))
	}
	for i := range l.Claims {
		l.Claims[i].markdown(&b, dir)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell is text within a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// markdown writes the section of one claim.
func (r *Report) markdown(b *strings.Builder, dir string) {
	fmt.Fprintf(b, "\n## %s\n\n%s: **%s**.", r.Name, capital(r.Statement), r.Verdict)
	if r.Verdict == verdict.NotShown || r.Verdict == verdict.NotValid {
		fmt.Fprintf(b, " %s.", capital(r.reason()))
	}
	fmt.Fprintf(b, " Holds when %s (δ %s).\n\n", r.Rule, r.Delta)
	if len(r.Parts) > 0 {
		fmt.Fprintf(b, "| what decides | measured | %s interval | want | |\n|---|---:|---:|---|---|\n", r.level())
		for _, p := range append(slices.Clone(r.Parts), r.Beside...) {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", cell(p.Name), p.value(), interval(p.Low, p.High), p.Want, p.Verdict)
		}
		b.WriteString("\n")
	}
	r.predicted(b)
	for _, g := range r.Failed() {
		fmt.Fprintf(b, "- Gate failed: %s: %s; %s\n", g.Name, g.Measured, g.Change)
	}
	if passed := r.passed(); len(passed) > 0 {
		fmt.Fprintf(b, "- Gates passed: %s\n", strings.Join(passed, ", "))
	}
	fmt.Fprintf(b, "- %s; %s\n", capital(r.sizeWords()), cmp.Or(r.BrokerIs, "no broker"))
	if len(r.Changed) > 0 {
		fmt.Fprintf(b, "- Not at its default size: %s\n", strings.Join(r.Changed, ", "))
	}
	if e := r.Evidence; e != nil {
		fmt.Fprintf(b, "- In the traces: %s. `tracelab journey %s` shows one of %d\n", e.Look, filepath.ToSlash(filepath.Join(dir, e.File)), e.Seen)
	}
}

// predicted writes the figures that were predicted.
func (r *Report) predicted(b *strings.Builder) {
	header := false
	for _, m := range r.Figures {
		if m.Predicted == nil || m.Per == PerPoint {
			continue
		}
		if !header {
			b.WriteString("| figure | predicted | measured | residual |\n|---|---:|---:|---:|\n")
			header = true
		}
		fmt.Fprintf(b, "| %s, %s | %s | %s | %s |\n", cell(m.Arm), cell(m.measure()), number(m.Predicted), m.value(), number(m.Residual))
	}
	if header {
		b.WriteString("\n")
	}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
