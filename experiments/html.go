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
	t, err := parsePage()
	if err != nil {
		return err
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
	for i := range l.Claims {
		page.Claims = append(page.Claims, l.Claims[i].view())
	}
	var b bytes.Buffer // so that an error leaves no half of a page
	if err := t.Execute(&b, page); err != nil {
		return fmt.Errorf("claims page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// parsePage reads the templates of the page.
func parsePage() (*template.Template, error) {
	style, err := pageFiles.ReadFile("page/style.css")
	if err != nil {
		return nil, fmt.Errorf("claims page: %w", err)
	}
	all := slices.Concat(style, ReportStyle())
	functions := template.FuncMap{"style": func() template.CSS { return template.CSS(all) }} //nolint:gosec // our own files
	t, err := template.New("claims.tmpl").Funcs(functions).ParseFS(pageFiles, "page/claims.tmpl")
	if err != nil {
		return nil, fmt.Errorf("claims page: %w", err)
	}
	return t, nil
}

// ReportStyle is the style sheet of what Report.WriteHTML writes. It takes its colors from the variables --card, --ink, --quiet, --line, --wait,
// --bad, --good and --notice of the page around it.
func ReportStyle() []byte {
	style, _ := pageFiles.ReadFile("page/report.css") // it is in the program
	return style
}

// WriteHTML writes the verdict with its plot and figures as a part of a page, without the sentence. It has no inline style and no script.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := parsePage()
	if err != nil {
		return err
	}
	if err := t.ExecuteTemplate(w, "claim", r.view()); err != nil {
		return fmt.Errorf("report of claim %s: %w", r.Name, err)
	}
	return nil
}

func classOf(word verdict.Word) string { return strings.ReplaceAll(string(word), " ", "-") }

// view is a report as the page shows it.
func (r *Report) view() claimView {
	var draw func(Figures) Plot
	all := All()
	if at := slices.IndexFunc(all, func(c Claim) bool { return c.Name == r.Name }); at >= 0 {
		draw = all[at].Draw
	}
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
