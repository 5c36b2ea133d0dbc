package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tracelab/services"
)

// readCalls reads how the calls of the run went, of steps whose file says how they are called.
func (r *running) readCalls(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), accountsTimeout)
	defer cancel()
	if err := r.env.client.ask(ctx, "/runs/"+r.name+"/calls", &r.calls); err != nil {
		r.calls = services.CallReport{Silent: map[string]string{services.Gateway: err.Error()}}
	}
}

// silentCalls says which services did not tell how their calls went. Services elsewhere may be older than the question, and those that an event
// has stopped cannot answer it.
func (r *running) silentCalls() []string {
	if r.Target != "" || len(r.Events) > 0 {
		return nil
	}
	var texts []string
	for _, service := range sortedKeys(r.calls.Silent) {
		texts = append(texts, fmt.Sprintf("%s does not tell how its calls went: %s", service, r.calls.Silent[service]))
	}
	return texts
}

// callCounts writes how calls went.
func (r *Result) callCounts(b *strings.Builder) {
	lines := r.callLines()
	if len(lines) == 0 {
		return
	}
	b.WriteString("Calls, as the services counted them:\n\n")
	for _, line := range lines {
		b.WriteString("  " + line + "\n")
	}
	b.WriteString("\n")
}

// callLines are a line for each form and step of whose calls there is something to say.
func (r *Result) callLines() []string {
	type row struct{ form, step, text string }
	var rows []row
	forms, steps := 0, 0 // their widths
	for _, form := range r.forms() {
		calls := r.Forms[form].Calls
		for _, step := range slices.Sorted(maps.Keys(calls)) {
			if text := calls[step].String(); text != "" {
				rows = append(rows, row{string(form), string(step), text})
				forms, steps = max(forms, len(form)), max(steps, len(step))
			}
		}
	}
	var lines []string
	for _, x := range rows {
		lines = append(lines, fmt.Sprintf("%-*s  %-*s  %s", forms, x.form, steps, x.step, x.text))
	}
	return lines
}
