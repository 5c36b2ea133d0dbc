package lab

import (
	"fmt"
	"strings"
)

// firedText says how often each fault fired: in one line when that is the same in all forms.
func (r *Result) firedText(b *strings.Builder) {
	b.WriteString("\n")
	for _, line := range r.firedLines() {
		b.WriteString("  " + line + "\n")
	}
}

// firedAlone is firedText of a run that had faults.
func (r *Result) firedAlone(b *strings.Builder) {
	if r.isFelt() {
		r.firedText(b)
	}
}

// firedLines are a line for each fault, and for each form that differs from the others.
func (r *Result) firedLines() []string {
	var lines []string
	for i, fault := range r.Faults {
		forms := map[string][]string{}
		var texts []string // in the order of the forms
		for _, form := range r.forms() {
			text, ok := r.Forms[form].firedText(i)
			if !ok {
				continue
			}
			if forms[text] == nil {
				texts = append(texts, text)
			}
			forms[text] = append(forms[text], string(form))
		}
		for _, text := range texts {
			in := "each form"
			if len(texts) > 1 || len(r.forms()) == 1 {
				in = strings.Join(forms[text], ", ")
			}
			lines = append(lines, fmt.Sprintf("%s fired on %s (%s)", fault, text, in))
		}
	}
	return lines
}

// firedText is what became of the fault with a number in the form; a result from before these counts has none.
func (f *FormResult) firedText(fault int) (string, bool) {
	fired := f.faulted().Fired
	if fault >= len(fired) {
		return "", false
	}
	return fired[fault].String(), true
}
