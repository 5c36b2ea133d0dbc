package lab

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"tracelab/internal/hint"
	"tracelab/services"
	"tracelab/services/flows"
)

// pages lists the addresses in Jaeger.
func (r *Result) pages(b *strings.Builder) {
	p := r.Jaeger
	if p == nil {
		return
	}
	b.WriteString("In Jaeger:")
	if r.Relation == "link" {
		fmt.Fprintf(b, " (%s is several traces, tied by links; a page shows the first)", r.unit().one())
	}
	b.WriteString("\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, form := range r.forms() {
		if page, ok := p.Medians[form]; ok {
			line(t, []string{fmt.Sprintf("  %s, %s %d (%s)", form, r.unit(), p.Orders[form], r.whichMedian(form)), page})
		}
	}
	for _, form := range r.forms() {
		if page, ok := p.Searches[form]; ok {
			line(t, []string{"  " + listed(r.unit(), string(form), r.Forms[form].Orders.Placed, p.Forgotten[form]), page})
		}
	}
	placed, forgotten := 0, 0
	for _, form := range r.forms() {
		placed, forgotten = placed+r.Forms[form].Orders.Placed, forgotten+p.Forgotten[form]
	}
	line(t, []string{"  " + listed(r.unit(), "the run", placed, forgotten), p.Search})
	c := p.Comparison
	if c != nil {
		line(t, []string{fmt.Sprintf("  %s against %s, %s %d", c.Base, c.Other, r.unit(), c.Order), c.URL})
	}
	_ = t.Flush()
	b.WriteString("\nJaeger's critical path ends with the answer; the paths above go on to the last piece of work.\n")
	if c != nil {
		fmt.Fprintf(b, "Its comparison shows structure alone, and beyond the first hop a call and a message have none in common. What it costs:\n  %s\n",
			r.command("compare", filepath.Join(r.Dir, string(c.Base)), filepath.Join(r.Dir, string(c.Other))))
	}
	b.WriteString("\n")
}

// listed says how many of the orders that were placed a search page lists: those that Jaeger has not forgotten, up to what the page is asked for.
func listed(u unitWord, of string, placed, forgotten int) string {
	switch there := placed - forgotten; {
	case there > uiSearchLimit:
		return fmt.Sprintf("%d of the %d %s of %s", uiSearchLimit, placed, u.many(), of)
	case forgotten > 0:
		return fmt.Sprintf("about %d of the %d %s of %s", there, placed, u.many(), of)
	}
	return "every " + string(u) + " of " + of
}

// whichMedian says of how many orders a link shows the median.
func (r *Result) whichMedian(form services.Form) string {
	if n := r.Jaeger.Forgotten[form]; n > 0 {
		return fmt.Sprintf("the median of those that Jaeger still has; %d are gone", n)
	}
	return "the median, drawn above"
}

// command is a command line that runs as this run was called.
func (r *Result) command(words ...string) string {
	return hint.Command(cmp.Or(r.program, "tracelab"), words...)
}

func (r *Result) next(b *strings.Builder) {
	forms := r.forms()
	if len(forms) == 0 || r.Dir == "" {
		return
	}
	form := forms[len(forms)-1]
	if slices.Contains(forms, services.Kafka) {
		form = services.Kafka
	}
	fmt.Fprintf(b, "Written to %s. Next:\n", r.Dir)
	t := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	line(t, []string{"  " + r.command("journey", r.Dir, "--form", string(form)), "one " + string(r.unit()) + ", span by span, over all its traces"})
	if len(forms) > 1 {
		line(t, []string{"  " + r.command("compare", r.Dir), "all measures of all forms"})
	}
	if words := r.faultCommand(); words != nil && r.Target == "" && !slices.Contains(r.Faults, words[len(words)-1]) { // services elsewhere may not obey faults
		line(t, []string{"  " + r.command(words...), "one slow service: who feels it?"})
	}
	_ = t.Flush()
}

// faultCommand makes a service of the flow slow; nil when the report does not know where the flow is from, or it has one service.
func (r *Result) faultCommand() []string {
	if r.flowFile != "" {
		for _, step := range r.StepOrder {
			if service := services.Step(step).Service(); service != services.Step(r.StepOrder[0]).Service() {
				return []string{"run", "--flow", r.flowFile, "--fault", service + ":delay=200ms@0.5"}
			}
		}
		return nil
	}
	if r.Flow == "" || r.Flow == flows.Order().Name {
		return []string{"run", "--fault", "payment:delay=200ms@0.5"}
	}
	f, err := flows.Named(r.Flow)
	if err != nil {
		return nil
	}
	for _, step := range f.Steps() {
		if step.Service() != f.Entry().Service() {
			return []string{"run", "--flow", f.Name, "--fault", step.Service() + ":delay=200ms@0.5"}
		}
	}
	return nil
}
