package lab

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tracelab/journey/format"
	"tracelab/journey/report"
)

// WriteText writes the report for a person: the table, the differences order by order, where the time of the median
// order went, what is wrong, and what to type next.
func (r *Result) WriteText(w io.Writer, style format.Style) error {
	if style.Fit {
		narrow := *r
		narrow.columns = style.Columns()
		r = &narrow
	}
	var b strings.Builder
	r.headline(&b)
	r.table(&b)
	r.differences(&b)
	r.stalenessText(&b)
	r.callCounts(&b)
	r.felt(&b)
	r.weather(&b)
	r.relationChanged(&b)
	r.pictures(&b, style)
	r.cpu(&b)
	r.remarks(&b)
	r.pages(&b)
	r.next(&b)
	text := b.String()
	if style.Fit {
		text = fit(text, style.Columns())
	}
	_, err := io.WriteString(w, inColors(text, style))
	return err
}

// headline says what was run, and where its figures come from.
func (r *Result) headline(b *strings.Builder) {
	forms := r.forms()
	placed := 0
	for _, form := range forms {
		placed = max(placed, r.Forms[form].Orders.Placed)
	}
	if len(forms) == 1 {
		fmt.Fprintf(b, "%s of the form %s %s\n", r.unit().count(placed, "", ""), forms[0], r.loop())
	} else {
		fmt.Fprintf(b, "%s in each of %d forms, the same %s in all of them, interleaved %s\n", r.unit().count(placed, "", ""), len(forms), r.unit().many(), r.loop())
	}
	b.WriteString(r.Setting())
	if r.WarmUp > 0 {
		fmt.Fprintf(b, "; %s a form are left out: %s", ("warm-up "+r.unit()).count(r.WarmUp, "", ""), r.WarmedUp.Why)
	}
	b.WriteString("\n")
	if r.EndedEarly {
		b.WriteString("ENDED EARLY: what was placed by then is what follows\n")
	}
	if r.Partitions > 0 {
		fmt.Fprintf(b, "Topics of %s\n", count(r.Partitions, "partition", "partitions"))
	}
	fmt.Fprintf(b, "%s\n%s\n", r.Parts(), r.MadeOn())
	if note := markNote(r.Marked(), r.unit()); note != "" {
		fmt.Fprintf(b, "%s %s\n", mark, note)
	}
	b.WriteString("\n")
}

// mark stands beside every figure that is not the services' own.
const mark = "(!)"

// markNote says what the mark means.
func markNote(marked string, u unitWord) string {
	switch marked {
	case "late":
		return "the generator started " + u.many() + " late: these figures are partly its own"
	case "starved":
		return "the process did not get the CPU that it needed: these figures are partly the machine's"
	}
	return ""
}

// marked adds the mark to a text when there is a reason for it.
func withMark(text, marked string) string {
	if marked == "" {
		return text
	}
	return text + " " + mark
}

func (r *Result) pictures(b *strings.Builder, style format.Style) {
	if r.medians == nil { // a result that was read from a file has figures only
		return
	}
	fmt.Fprintf(b, "Where the time went, in the %s with the median completion of each form:\n\n", r.unit())
	for _, form := range r.forms() {
		m := r.medians[form]
		if m == nil {
			fmt.Fprintf(b, "%s: no complete journey\n\n", form)
			continue
		}
		wait, _ := m.journey.CallerWait()
		title := fmt.Sprintf("%s, %s %d: the caller waited %s, the last work ended after", form, r.unit(), m.order.Number, format.Duration(wait))
		// Writing into a strings.Builder never fails.
		bars := report.Bars{Title: title, Set: m.journey.Set(), Path: m.path, Marks: report.Answer(m.journey), Beside: m.beside()}
		_ = bars.WriteText(b, style)
		if slices.Contains(r.NestedForms, string(form)) {
			m.domino(b)
		}
		b.WriteString("\n")
	}
}

func (r *Result) remarks(b *strings.Builder) {
	g := r.Generator
	if g.Clients > 0 {
		b.WriteString(closedLoopWords(g, r.unit()) + "\n")
	} else {
		fmt.Fprintf(b, "Generator at %g %s/s: start lag %.2f ms (p50), %.2f ms (p99), %.2f ms (max): %s\n", g.Rate, r.unit().many(), g.StartLagP50, g.StartLagP99, g.StartLagMax, onTimeWords(g, r.unit()))
	}
	if s := r.Spans; s != nil {
		fmt.Fprintf(b, "Spans of this process: %s; %s\n", s, r.shared())
	}
	if r.Sent > 0 {
		fmt.Fprintf(b, "Sent on over OTLP: %d spans\n", r.Sent)
	}
	if r.Late > 0 {
		fmt.Fprintf(b, "Spans that came after their journey had been measured: %d; it was measured again\n", r.Late)
	}
	if r.FromJaeger {
		meanwhile := ""
		if r.Followed {
			meanwhile = "; a run of more than 2 s is fetched while " + r.unit().many() + " are placed, too, which takes some of the machine's time"
		}
		fmt.Fprintf(b, "Fetched from Jaeger: %d spans of the services%s\n", r.Fetched, meanwhile)
	}
	if r.Skipped > 0 {
		fmt.Fprintf(b, "Records that could not be decoded and were skipped: %d\n", r.Skipped)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(b, "Warning: %s\n", warning)
	}
	for _, finding := range r.Explained {
		fmt.Fprintf(b, "Explained: %s\n", finding)
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(b, "PROBLEM: %s\n", problem)
	}
	b.WriteString("\n")
}

// shared says how many spans belong to several orders or to none.
func (r *Result) shared() string {
	if r.FromJaeger {
		return "polls and commits carry no run and are not fetched from Jaeger"
	}
	return fmt.Sprintf("%d belong to several %s or none (polls, commits)", r.Shared, r.unit().many())
}
