package lab

import (
	"context"
	"fmt"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/services"
)

// droppedSpans counts the spans that never reached the collector, by run and form.
type droppedSpans struct {
	mu    sync.Mutex
	count map[string]int64
}

func (d *droppedSpans) note(s sdktrace.ReadOnlySpan) {
	var run, form string
	for _, a := range s.Attributes() {
		switch string(a.Key) {
		case services.KeyRun:
			run = a.Value.AsString()
		case services.KeyForm:
			form = a.Value.AsString()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count == nil {
		d.count = map[string]int64{}
	}
	d.count[run+"/"+form]++
}

// of is how many spans of a form's orders were dropped.
func (d *droppedSpans) of(run string, form services.Form) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count[run+"/"+string(form)]
}

// droppedElsewhere asks services that run elsewhere how many spans of the run's orders they dropped, by form, and notes it
// as a problem. Services that have no answer to the question are of another version.
func (r *running) droppedElsewhere(ctx context.Context) map[string]int64 {
	if r.Target == "" {
		return nil // they use the lab's own queue
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var report services.SpanReport
	if err := r.env.client.ask(ctx, "/runs/"+r.name+"/spans", &report); err != nil {
		return nil
	}
	var sum int64
	for _, n := range report.Dropped {
		sum += n
	}
	if sum > 0 {
		r.problems = append(r.problems, fmt.Sprintf("%d spans were dropped by the services: was the endpoint that they send them to away?", sum))
	}
	for _, service := range sortedKeys(report.Silent) {
		r.problems = append(r.problems, service+" does not say how many spans it dropped: "+report.Silent[service])
	}
	return report.Dropped
}
