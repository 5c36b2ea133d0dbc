package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"tracelab/journey/compare"
	"tracelab/services"
)

func (r *Result) differences(b *strings.Builder) {
	list := r.differenceRows()
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "Against %s, %s by %[2]s:\n", r.comparedWith(), r.unit())
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, d := range list {
		line(t, []string{"  " + d.form, d.measure, d.words})
	}
	_ = t.Flush()
	b.WriteString("\n")
	r.square(b)
}

// differenceRow says how much a form differs from the base.
type differenceRow struct{ form, measure, words string }

// comparedWith is the form that the others are compared with.
func (r *Result) comparedWith() services.Form {
	return cmp.Or(services.Form(r.Base), baseFirst(r.forms(), services.GRPC)[0])
}

// differenceRows lists them for each form but the base; nothing when there is nothing to compare.
func (r *Result) differenceRows() []differenceRow {
	forms := r.forms()
	if len(forms) < 2 || len(r.Comparisons) == 0 {
		return nil
	}
	base := r.comparedWith()
	var list []differenceRow
	add := func(form services.Form, measure string, d Comparison) {
		list = append(list, differenceRow{string(form), measure, withMark(d.String(), d.Marked)})
	}
	for _, form := range forms {
		wait, ok := r.difference(base, form, compare.CallerWait)
		completion, too := r.difference(base, form, compare.Completion)
		if ok && too && sameFigures(wait, completion) { // nothing comes after the answer
			add(form, "both", wait)
			continue
		}
		if ok {
			add(form, "caller wait", wait)
		}
		if too {
			add(form, "completion", completion)
		}
	}
	return list
}

// sameFigures tells whether two comparisons read alike.
func sameFigures(a, b Comparison) bool {
	unlike := a.Difference
	unlike.Measure = b.Measure
	return a.Delta != nil && b.Delta != nil && unlike.String() == b.String()
}

// difference finds a comparison; one of a form with itself is never there.
func (r *Result) difference(base, other services.Form, measure string) (Comparison, bool) {
	i := slices.IndexFunc(r.Comparisons, func(d Comparison) bool {
		return d.Measure == measure && d.Base == string(base) && d.Other == string(other)
	})
	if i < 0 {
		return Comparison{}, false
	}
	return r.Comparisons[i], true
}

// keeper is the service that keeps the orders' state: that of the flow's entry.
func (r *Result) keeper() string {
	if len(r.StepOrder) == 0 { // of a run from before steps were listed
		return "its service"
	}
	return services.Step(r.StepOrder[0]).Service()
}

// felt says who feels the faults, and who hears of a failure.
func (r *Result) felt(b *strings.Builder) {
	if !r.isFelt() {
		return
	}
	fmt.Fprintf(b, "Who feels the fault: the %s that it hit, beside the others (medians):\n\n", r.unit().many())
	r.rows(b, r.feltRows())
	r.firedText(b)
	b.WriteString("\n")
}

// isFelt tells whether the run had faults, and is told who felt them.
func (r *Result) isFelt() bool {
	return len(r.Faults) > 0 && slices.ContainsFunc(r.forms(), func(f services.Form) bool { return r.Forms[f].Faulted != nil })
}

// feltRows are the orders that a fault hit, beside the others.
func (r *Result) feltRows() []row {
	rows := []row{
		{r.unit().many() + " hit, not hit", func(f *FormResult) string {
			return fmt.Sprintf("%d, %d", f.faulted().Hit.Orders, f.faulted().NotHit.Orders)
		}},
		{"caller wait, hit", func(f *FormResult) string { return f.interval(f.faulted().Hit.CallerWait) }},
		{"caller wait, not hit", func(f *FormResult) string { return f.interval(f.faulted().NotHit.CallerWait) }},
		{"completion, hit", func(f *FormResult) string { return f.interval(f.faulted().Hit.Completion) }},
		{"completion, not hit", func(f *FormResult) string { return f.interval(f.faulted().NotHit.Completion) }},
		{"failed, and the answer said so", func(f *FormResult) string { return heard(f.faulted().FailedInAnswer, f.faulted().HeardAfter) }},
		{"failed after the answer: " + r.keeper() + " knew", func(f *FormResult) string { return heard(f.faulted().FailedLater, f.faulted().EndedAfter) }},
	}
	if slices.ContainsFunc(r.forms(), func(f services.Form) bool { return r.Forms[f].faulted().FailedUnanswered > 0 }) {
		rows = append(rows, row{"failed, and no answer came", func(f *FormResult) string { return strconv.Itoa(f.faulted().FailedUnanswered) }})
	}
	return rows
}

// heard writes how many orders failed, and after how long who hears of it did.
func heard(n int, after *compare.Summary) string {
	if n == 0 || after == nil {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d, after %s", n, interval(after))
}

// faulted is the form's part of the faults; of a form without one, an empty one.
func (f *FormResult) faulted() *Faulted {
	if f.Faulted == nil {
		return &Faulted{}
	}
	return f.Faulted
}
