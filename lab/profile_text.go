package lab

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tracelab/services"
)

// cpu tells where the CPU time of an order went, form by form.
func (r *Result) cpu(b *strings.Builder) {
	p := r.Profile
	if p == nil || len(r.Forms) == 0 {
		return
	}
	fmt.Fprintf(b, "CPU time of %s in this process, from a profile with a sample for each %g ms:\n\n", r.unit().one(), p.SampleMS)
	var rows []row
	for _, step := range r.stepsOfProfiles() {
		rows = append(rows, row{step, func(f *FormResult) string { return cpuTime(f.cpu().Steps[services.Step(step)]) }})
	}
	r.rows(b, append(rows,
		row{"transport and telemetry", func(f *FormResult) string { return cpuTime(f.cpu().Transport) }},
		row{"sum", func(f *FormResult) string { return cpuTime(f.cpu().PerOrder) }},
		row{"samples", func(f *FormResult) string { return strconv.FormatInt(f.cpu().Samples, 10) }}))
	fmt.Fprintf(b, "\n  In no form, since it serves many %s or none: %d of all %d samples%s\n", r.unit().many(), p.NoForm.Samples, p.Samples, p.parts())
	forms := r.forms()
	last := r.Forms[forms[len(forms)-1]]
	fmt.Fprintf(b, "  Kept in %s; look with: go tool pprof -top %s\n\n", p.Dir, last.cpu().File)
}

// stepsOfProfiles are the steps in the flow's order, then those that only took place because another one failed: they undo.
func (r *Result) stepsOfProfiles() []string {
	steps := slices.Clone(r.StepOrder)
	var others []string
	for _, form := range r.forms() {
		for step := range r.Forms[form].cpu().Steps {
			if !slices.Contains(steps, string(step)) && !slices.Contains(others, string(step)) {
				others = append(others, string(step))
			}
		}
	}
	slices.Sort(others)
	return append(steps, others...)
}

// parts lists what was spent for no order, the largest part first, as shares of all.
func (p *Profile) parts() string {
	names := slices.SortedFunc(maps.Keys(p.NoForm.Parts), func(a, b string) int {
		return cmp.Or(cmp.Compare(p.NoForm.Parts[b], p.NoForm.Parts[a]), cmp.Compare(a, b))
	})
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = fmt.Sprintf("%s %.0f %%", name, 100*p.NoForm.Parts[name]/p.CPU)
	}
	if len(texts) == 0 {
		return ""
	}
	return " (of all: " + strings.Join(texts, ", ") + ")"
}

func cpuTime(ms float64) string {
	if ms == 0 {
		return "0"
	}
	return significant(ms) + " ms"
}

// cpu is the form's profile; of a form without one, an empty one.
func (f *FormResult) cpu() *OrderProfile {
	if f.CPU == nil {
		return &OrderProfile{}
	}
	return f.CPU
}
