package lab

import (
	"sync"

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
