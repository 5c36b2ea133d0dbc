package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"tracelab/journey/compare"
	"tracelab/journey/format"
)

// Gate is the judgment of a gate, and how undecided limits count.
type Gate struct {
	compare.Judgment
	// FailUndecided makes an undecided limit count as failed; otherwise it counts as passed.
	FailUndecided bool
}

// Passed reports whether no limit failed, and none is undecided where that counts as failed.
func (g Gate) Passed() bool {
	outcome := g.Outcome()
	return outcome != compare.OutcomeFail && (outcome != compare.OutcomeUndecided || !g.FailUndecided)
}

// headline says the outcome in words.
func (g Gate) headline() string {
	counts := make(map[compare.Outcome]int)
	for _, c := range g.Checks {
		counts[c.Outcome]++
	}
	var parts []string
	for _, o := range []compare.Outcome{compare.OutcomeFail, compare.OutcomeUndecided, compare.OutcomePass} {
		if counts[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[o], o))
		}
	}
	text := "passed"
	if !g.Passed() {
		text = "failed"
	}
	text += ": " + strings.Join(parts, ", ")
	if counts[compare.OutcomeUndecided] > 0 {
		text += fmt.Sprintf(" (undecided counts as %s)", g.undecided())
	}
	return text
}

func (g Gate) undecided() compare.Outcome {
	if g.FailUndecided {
		return compare.OutcomeFail
	}
	return compare.OutcomePass
}

// subject names what a check is about: the root, and the groups where there are several.
func (g Gate) subject(c compare.Check) string {
	var parts []string
	if c.Root != (compare.Root{}) {
		parts = append(parts, c.Root.String())
	}
	if slices.ContainsFunc(g.Checks, func(o compare.Check) bool { return o.Other != g.Checks[0].Other || o.Base != g.Checks[0].Base }) && c.Other != "" {
		parts = append(parts, c.Other+" against "+c.Base)
	}
	return format.Escape(strings.Join(parts, ", "))
}

func outcomeColor(o compare.Outcome) format.Color {
	switch o {
	case compare.OutcomePass:
		return format.Green
	case compare.OutcomeFail:
		return format.Red
	case compare.OutcomeUndecided:
	}
	return format.Yellow
}

func gateText(b *strings.Builder, g *Gate, style format.Style) {
	if g == nil {
		return
	}
	b.WriteString(style.Paint(format.Bold, "Gate "+g.headline()) + "\n")
	for _, c := range g.Checks {
		title := format.Escape(c.Limit.String())
		if subject := g.subject(c); subject != "" {
			title += "  " + subject
		}
		b.WriteString("  " + style.Paint(outcomeColor(c.Outcome), fmt.Sprintf("%-9s", c.Outcome)) + "  " + title + "\n")
		b.WriteString(style.Paragraph("             ", "             ", format.Escape(c.Words())))
	}
	for _, w := range g.Warnings {
		b.WriteString(style.Paragraph("  ", "    ", format.Escape(w)))
	}
	b.WriteString("\n")
}

type gateDocument struct {
	Outcome   compare.Outcome `json:"outcome"`
	Undecided compare.Outcome `json:"undecided"` // what an undecided check counts as
	Passed    bool            `json:"passed"`
	Checks    []checkDocument `json:"checks"`
}

type checkDocument struct {
	Limit   string          `json:"limit"`
	Measure string          `json:"measure"`
	Root    string          `json:"root,omitempty"`
	Base    string          `json:"base"`
	Other   string          `json:"other"`
	Outcome compare.Outcome `json:"outcome"`
	Paired  bool            `json:"paired"`
	Runs    bool            `json:"runs"`
	N       int             `json:"n"`
	Share   bool            `json:"share"` // the figures are shares of the base, else in the measure's unit
	Max     float64         `json:"max"`
	Delta   *float64        `json:"delta"`
	Low     *float64        `json:"low"`
	High    *float64        `json:"high"`
	Half    *float64        `json:"half_width"`
	Enough  *int            `json:"enough"` // so many would decide, null where that is decided or not known
	Reason  string          `json:"reason,omitempty"`
}

func (g Gate) document() gateDocument {
	d := gateDocument{Outcome: g.Outcome(), Undecided: g.undecided(), Passed: g.Passed(), Checks: []checkDocument{}}
	for _, c := range g.Checks {
		x := checkDocument{
			Limit: c.Limit.String(), Measure: c.Limit.Measure, Base: c.Base, Other: c.Other, Outcome: c.Outcome, Paired: c.Paired, Runs: c.Runs,
			N: c.N, Share: c.Limit.Amount.Share, Max: c.Limit.Amount.Value, Delta: c.Delta, Low: c.Low, High: c.High, Reason: c.Reason,
		}
		if c.Root != (compare.Root{}) {
			x.Root = c.Root.String()
		}
		if half, ok := c.HalfWidth(); ok {
			x.Half = &half
		}
		if n, ok := c.Enough(); ok {
			x.Enough = &n
		}
		d.Checks = append(d.Checks, x)
	}
	return d
}

type junitSuite struct {
	XMLName    xml.Name         `xml:"testsuite"`
	Name       string           `xml:"name,attr"`
	Tests      int              `xml:"tests,attr"`
	Failures   int              `xml:"failures,attr"`
	Skipped    int              `xml:"skipped,attr"`
	Properties *junitProperties `xml:"properties"`
	Cases      []junitCase      `xml:"testcase"`
	Warnings   string           `xml:"system-err,omitempty"`
}

type junitProperties struct {
	List []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes the gate's checks as a test suite that CI systems read: a failed one is a failure, an undecided one is
// skipped, or a failure where that is how it counts.
func (g Gate) WriteJUnit(w io.Writer) error { return g.suite().write(w) }

// WriteJUnit writes the gate's checks as Gate.WriteJUnit does, with how many journeys and spans of each group are behind them. It
// fails without a gate.
func (r Comparison) WriteJUnit(w io.Writer) error {
	if r.Gate == nil {
		return errors.New("junit report: there is no gate")
	}
	s := r.Gate.suite()
	s.Properties = new(junitProperties)
	for i := range r.Of.Groups {
		g := &r.Of.Groups[i]
		for _, p := range []struct {
			name string
			n    int
		}{{"journeys", g.Journeys}, {"incomplete", g.LeftOut()}, {"spans", g.Spans}} {
			s.Properties.List = append(s.Properties.List, junitProperty{format.Escape(g.Name) + ": " + p.name, fmt.Sprint(p.n)})
		}
	}
	for _, text := range slices.Concat(oneSidedLines(r.Of), r.Of.Warnings) {
		s.Warnings += format.Escape(text) + "\n"
	}
	return s.write(w)
}

func (g Gate) suite() junitSuite {
	s := junitSuite{Name: "tracelab compare", Tests: len(g.Checks)}
	for _, c := range g.Checks {
		x := junitCase{Class: "tracelab." + c.Limit.Measure, Name: format.Escape(c.Limit.String())}
		if subject := g.subject(c); subject != "" {
			x.Name += " " + subject
		}
		words := format.Escape(c.Words())
		switch {
		case c.Outcome == compare.OutcomeFail, c.Outcome == compare.OutcomeUndecided && g.FailUndecided:
			x.Failure = &junitMessage{string(c.Outcome) + ": " + words}
			s.Failures++
		case c.Outcome == compare.OutcomeUndecided:
			x.Skipped = &junitMessage{"undecided: " + words}
			s.Skipped++
		default:
			x.Output = words
		}
		s.Cases = append(s.Cases, x)
	}
	return s
}

func (s junitSuite) write(w io.Writer) error {
	text, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("junit report: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}
