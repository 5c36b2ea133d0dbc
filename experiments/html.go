package experiments

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"tracelab/experiments/verdict"
)

// A page is one file that needs no other. html/template escapes what comes from traces.
//
//go:embed page
var pageFiles embed.FS

// pageView is the page of a ledger.
type pageView struct {
	Title, From string
	Tally       []tallyView
	Claims      []claimView
}

type tallyView struct {
	N           int
	Word, Class string
}

// claimView is the section of one claim.
type claimView struct {
	Name, Statement, Word, Class, Reason string
	Decides, Rule, Size, Level, Passed   string
	Delta                                Amount
	Plots                                []plotView
	Parts                                []partView
	Figures                              []figureView
	Failed                               []verdict.Gate
	Evidence                             *Evidence
}

type partView struct{ Name, Value, Interval, Want, Word string }

type figureView struct{ Arm, Measure, Predicted, Measured, Residual, Interval, N string }

// WriteHTML writes the ledger as one page: all verdicts, and for each claim its plot and what it stands on.
func (l *Ledger) WriteHTML(w io.Writer) error {
	style, err := pageFiles.ReadFile("page/style.css")
	if err != nil {
		return fmt.Errorf("claims page: %w", err)
	}
	functions := template.FuncMap{"style": func() template.CSS { return template.CSS(style) }} //nolint:gosec // our own file
	t, err := template.New("claims.tmpl").Funcs(functions).ParseFS(pageFiles, "page/claims.tmpl")
	if err != nil {
		return fmt.Errorf("claims page: %w", err)
	}
	page := pageView{Title: "Sync and async: what is said, and what is so", From: "Figures from: " + l.from() + "."}
	for _, word := range []verdict.Word{verdict.Holds, verdict.DoesNotHold, verdict.NotShown, verdict.NotValid} {
		n := 0
		for _, r := range l.Claims {
			if r.Verdict == word {
				n++
			}
		}
		page.Tally = append(page.Tally, tallyView{n, string(word), classOf(word)})
	}
	all := All()
	for i := range l.Claims {
		r := &l.Claims[i]
		var draw func(Figures) Plot
		if at := slices.IndexFunc(all, func(c Claim) bool { return c.Name == r.Name }); at >= 0 {
			draw = all[at].Draw
		}
		page.Claims = append(page.Claims, r.view(draw))
	}
	var b bytes.Buffer // so that an error leaves no half of a page
	if err := t.Execute(&b, page); err != nil {
		return fmt.Errorf("claims page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func classOf(word verdict.Word) string { return strings.ReplaceAll(string(word), " ", "-") }

// view is a report as the page shows it.
func (r *Report) view(draw func(Figures) Plot) claimView {
	v := claimView{
		Name: r.Name, Statement: r.Statement, Word: string(r.Verdict), Class: classOf(r.Verdict), Rule: r.Rule, Delta: r.Delta, Size: r.sizeWords() + ".",
		Level: r.level(), Failed: r.Failed(), Evidence: r.Evidence, Decides: r.decides(),
	}
	if r.Verdict == verdict.NotShown || r.Verdict == verdict.NotValid {
		v.Reason = r.reason()
	}
	if len(r.Changed) > 0 {
		v.Size += " Not at its default size: " + strings.Join(r.Changed, ", ") + "."
	}
	if n := len(r.Gates) - len(v.Failed); n > 0 {
		v.Passed = fmt.Sprintf("gates passed: %s", strings.Join(r.passed(), ", "))
	}
	if p, ok := r.plot(draw); ok {
		v.Plots = append(v.Plots, newPlotView(p))
	}
	for _, p := range append(slices.Clone(r.Parts), r.Beside...) {
		v.Parts = append(v.Parts, partView{p.Name, p.value(), interval(p.Low, p.High), p.Want, string(p.Verdict)})
	}
	for _, m := range r.Figures {
		if m.Per != PerPoint {
			v.Figures = append(v.Figures, figureView{m.Arm, m.measure(), number(m.Predicted), m.value(), number(m.Residual), interval(m.Low, m.High), m.n()})
		}
	}
	return v
}

// decides is the figure that decides, for an overview: of a sentence that does not hold the part that refutes it.
func (r *Report) decides() string {
	for _, p := range r.Parts {
		if p.Verdict == r.Verdict && r.Verdict != verdict.Holds || r.Verdict == verdict.Holds || r.Verdict == verdict.NotValid {
			return fmt.Sprintf("%s: %s (%s)", p.Name, p.value(), interval(p.Low, p.High))
		}
	}
	return ""
}
