package watch

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Attribute keys of the counters of traces and of records.
const (
	keyFate   = attribute.Key("tracelab.watch.fate")
	keyResult = attribute.Key("tracelab.watch.result")
)

// instruments are the metrics of the watcher itself. Package measure documents their names.
type instruments struct {
	behind, open          metric.Int64ObservableGauge
	held                  metric.Float64ObservableCounter
	records, traces, late metric.Int64ObservableCounter
}

// measure registers the watcher's metrics with the meter provider of the configuration, if it has one.
func (w *watcher) measure() error {
	if w.config.Meters == nil {
		return nil
	}
	meter, failed := w.config.Meters.Meter("tracelab/watch"), error(nil)
	gauge := func(name, unit, text string) metric.Int64ObservableGauge {
		made, err := meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(text))
		failed = first(failed, err)
		return made
	}
	counter := func(name, unit, text string) metric.Int64ObservableCounter {
		made, err := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		failed = first(failed, err)
		return made
	}
	i := instruments{
		behind:  gauge("tracelab.watch.partitions.behind", "{partition}", "Partitions of the group that are behind, or of which nothing is known."),
		open:    gauge("tracelab.watch.traces.open", "{trace}", "Traces that are not decided yet."),
		records: counter("tracelab.watch.records", "{record}", "Records of the input that were read."),
		traces:  counter("tracelab.watch.traces", "{trace}", "Traces by what became of them."),
		late:    counter("tracelab.watch.spans.late", "{span}", "Spans that came for a journey that was judged."),
	}
	held, err := meter.Float64ObservableCounter("tracelab.watch.held", metric.WithUnit("s"), metric.WithDescription("Time for which verdicts were held."))
	i.held, failed = held, first(failed, err)
	if failed == nil {
		_, failed = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error { w.observe(o, i); return nil },
			i.behind, i.open, i.held, i.records, i.traces, i.late)
	}
	if failed != nil {
		return fmt.Errorf("make the metrics of the watcher: %w", failed)
	}
	return nil
}

// first returns the first error that is not nil.
func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// observe reports the current values.
func (w *watcher) observe(o metric.Observer, i instruments) {
	w.gateLock.Lock()
	behind, held := w.gate.behindNow(w.now()), w.gate.heldSum()
	w.gateLock.Unlock()
	o.ObserveInt64(i.behind, int64(behind))
	o.ObserveFloat64(i.held, held.Seconds())
	sums := w.total()
	o.ObserveInt64(i.open, sums.Traces.Open)
	o.ObserveInt64(i.late, sums.Traces.Late)
	for result, n := range map[string]int64{"decoded": sums.Decoded, "damaged": sums.Damaged} {
		o.ObserveInt64(i.records, n, metric.WithAttributes(keyResult.String(result)))
	}
	t := sums.Traces
	for fate, n := range map[string]int64{
		"judged": t.Judged, "incomplete": t.Incomplete, "part": t.Parts, "shared": t.Shared, "rootless": t.Rootless, "evicted": t.Evicted,
	} {
		o.ObserveInt64(i.traces, n, metric.WithAttributes(keyFate.String(fate)))
	}
}
