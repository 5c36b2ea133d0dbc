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

// spanReportTimeout is how long services elsewhere may take to say how many spans they dropped.
const spanReportTimeout = 2 * time.Second

// spanReport asks services that run elsewhere about their spans.
func (r *running) spanReport(ctx context.Context) (*services.SpanReport, error) {
	ctx, cancel := context.WithTimeout(ctx, spanReportTimeout)
	defer cancel()
	report := &services.SpanReport{}
	return report, r.env.client.ask(ctx, "/runs/"+r.name+"/spans", report)
}

// askDropsBefore notes what services elsewhere dropped before the run. They drop spans of no order, too, and an endpoint
// may leave some out without saying which: of those there is one sum since they started.
func (r *running) askDropsBefore(ctx context.Context) {
	if r.Target == "" {
		return
	}
	if report, err := r.spanReport(ctx); err == nil { // who does not answer is asked again in the end
		r.reported = report
	}
}

// droppedElsewhere asks services that run elsewhere how many spans they dropped during the run, and notes it as a problem,
// as it does when they do not say. It returns the sums of the run's orders, by form.
func (r *running) droppedElsewhere(ctx context.Context) map[string]int64 {
	if r.Target == "" {
		return nil // they use the lab's own queue
	}
	report, err := r.spanReport(ctx)
	if err != nil {
		r.problems = append(r.problems, fmt.Sprintf("the services do not say how many spans they dropped, so some may be missing: %v", err))
		return nil
	}
	r.firedElsewhere = report.Fired
	var ofOrders int64
	for _, n := range report.Dropped {
		ofOrders += n
	}
	if ofOrders > 0 {
		r.problems = append(r.problems, fmt.Sprintf("%d spans were dropped by the services: was the endpoint that they send them to away?", ofOrders))
	}
	if r.reported != nil {
		if others := report.Counts.Dropped - r.reported.Counts.Dropped - ofOrders; others > 0 {
			r.problems = append(r.problems, fmt.Sprintf("%s dropped by the services besides: of no %s of this run, or left out by an endpoint that did not say which", count(int(others), "span was", "spans were"), r.Flow.Unit))
		}
	}
	for _, service := range sortedKeys(report.Silent) {
		r.problems = append(r.problems, service+" does not say how many spans it dropped: "+report.Silent[service])
	}
	return report.Dropped
}
