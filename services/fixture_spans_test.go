package services

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
	"testing/synctest"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// ended are the spans that have ended. In virtual time it waits for those that still can before any time passes: a server's span ends
// after the client has its answer.
func (l *testLab) ended() []sdktrace.ReadOnlySpan {
	if l.virtual {
		synctest.Wait()
	}
	return l.spans.Ended()
}

// stepSpans are the ended spans of steps of one order, by step; an order's spans have its run, form and number.
func (l *testLab) stepSpans(e Experiment) map[Step][]sdktrace.ReadOnlySpan {
	found := map[Step][]sdktrace.ReadOnlySpan{}
	for _, span := range l.ended() {
		a := attributes(span)
		if step, ok := a["tracelab.step"]; ok && a[KeyRun].AsString() == e.Run && a[KeyForm].AsString() == string(e.Form) && a[KeyNumber].AsString() == itoa(e.Number) {
			found[Step(step.AsString())] = append(found[Step(step.AsString())], span)
		}
	}
	return found
}

// steps lists the steps of stepSpans, each as often as it was done.
func (l *testLab) steps(e Experiment) []Step {
	var steps []Step
	for step, spans := range l.stepSpans(e) {
		for range spans {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps
}

// attributes are a span's, by key.
func attributes(span sdktrace.ReadOnlySpan) map[attribute.Key]attribute.Value {
	all := map[attribute.Key]attribute.Value{}
	for _, kv := range span.Attributes() {
		all[kv.Key] = kv.Value
	}
	return all
}

// logBuffer keeps log records, one JSON document a line.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps a record.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// records are those with a message.
func (b *logBuffer) records(message string) []map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []map[string]any
	for line := range bytes.Lines(b.text.Bytes()) {
		var record map[string]any
		if json.Unmarshal(line, &record) == nil && record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

// serviceOf is the service.name of a span's resource.
func serviceOf(span sdktrace.ReadOnlySpan) string {
	value, _ := span.Resource().Set().Value("service.name")
	return value.AsString()
}
