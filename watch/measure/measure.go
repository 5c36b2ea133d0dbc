package measure

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"tracelab/journey"
	"tracelab/watch/summary"
)

// Scope is the name of the instrumentation scope of the metrics.
const Scope = "tracelab/watch/measure"

// Attribute keys that have no convention.
const (
	keyRoot        = attribute.Key("tracelab.journey.root")
	keyOutcome     = attribute.Key("tracelab.journey.outcome")
	keyReason      = attribute.Key("tracelab.journey.reason")
	keyStep        = attribute.Key("tracelab.journey.step")
	keySegment     = attribute.Key("tracelab.journey.segment")
	keyRule        = attribute.Key("tracelab.journey.rule")
	keyDestination = attribute.Key("messaging.destination.name")
)

// other is the attribute value for everything without a series of its own. watcherReason is the reason for an incomplete journey that only the watcher knows.
const (
	other         = "other"
	watcherReason = "watcher"
)

// Config has the limits of a Meter. Zero fields take the defaults.
type Config struct {
	Roots        int // roots with series of their own; default 20
	Destinations int // topics and queues with series of their own; default 20
	Steps        int // steps with series of their own, over all roots; default 200
	Keys         int // journeys of each partition that are remembered, to count each once; default 65,536
}

// withDefaults replaces what is not set.
func (c Config) withDefaults() Config {
	for _, x := range []struct {
		value *int
		usual int
	}{{&c.Roots, 20}, {&c.Destinations, 20}, {&c.Steps, 200}, {&c.Keys, 1 << 16}} {
		if *x.value <= 0 {
			*x.value = x.usual
		}
	}
	return c
}

// bounds of the histograms, in seconds: from a call within a host to a job that runs for minutes.
func bounds() []float64 {
	return []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600}
}

// Meter counts summaries as metrics. It is safe for concurrent use.
type Meter struct {
	callerWait, completion, tail, queueWait metric.Float64Histogram
	judged, silent, incomplete, findings    *counter
	pathTime, repeated                      *counter
	registration                            metric.Registration

	mu           sync.Mutex
	collected    func(whole bool) // see OnCollect
	keys         seen
	roots        *ranking
	destinations *ranking
	steps        *ranking
}

// New creates a Meter and registers its metrics with the provider. Call End before the provider shuts down, and Close to unregister.
func New(provider metric.MeterProvider, config Config) (*Meter, error) {
	config = config.withDefaults()
	m := &Meter{
		collected: func(bool) {}, keys: seen{limit: config.Keys, partitions: map[int32]*keyRing{}}, roots: newRanking(config.Roots),
		destinations: newRanking(config.Destinations), steps: newRanking(config.Steps),
	}
	meter := provider.Meter(Scope)
	var errs []error
	for _, h := range []struct {
		to         *metric.Float64Histogram
		name, text string
	}{
		{&m.callerWait, "tracelab.journey.caller_wait", "How long the caller of a journey waited."},
		{&m.completion, "tracelab.journey.completion", "When all that a journey caused was done."},
		{&m.tail, "tracelab.journey.tail", "How long a journey went on after its caller was answered."},
		{&m.queueWait, "tracelab.journey.queue_wait", "How long a message waited from its acknowledgement to its handling."},
	} {
		made, err := meter.Float64Histogram(h.name, metric.WithUnit("s"), metric.WithDescription(h.text), metric.WithExplicitBucketBoundaries(bounds()...))
		*h.to, errs = made, append(errs, err)
	}
	var counters []*counter
	for _, c := range []struct {
		to               **counter
		name, unit, text string
	}{
		{&m.judged, "tracelab.journey.judged", "{journey}", "Journeys that were judged."},
		{&m.silent, "tracelab.journey.silent", "{journey}", "Journeys in which something failed of which the caller does not know."},
		{&m.incomplete, "tracelab.journey.incomplete", "{journey}", "Journeys of which spans are known to be missing."},
		{&m.findings, "tracelab.journey.findings", "{finding}", "What lint found in journeys."},
		{&m.pathTime, "tracelab.journey.path.time", "s", "Time that a step has of the completion paths."},
		{&m.repeated, "tracelab.journey.repeated", "{journey}", "Summaries that were read again, and not counted."},
	} {
		made, err := meter.Float64ObservableCounter(c.name, metric.WithUnit(c.unit), metric.WithDescription(c.text))
		*c.to, errs = newCounter(made), append(errs, err)
		counters = append(counters, *c.to)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("make the metrics of journeys: %w", err)
	}
	m.repeated.add(attribute.NewSet(), 0)
	return m, m.register(meter, counters)
}

// register registers the callback that reports the counters.
func (m *Meter) register(meter metric.Meter, counters []*counter) error {
	instruments := make([]metric.Observable, len(counters))
	for i, c := range counters {
		instruments[i] = c.instrument
	}
	var err error
	m.registration, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		whole := true
		for _, c := range counters {
			whole = c.observe(o) && whole
		}
		m.collected(whole)
		return nil
	}, instruments...)
	if err != nil {
		return fmt.Errorf("register the counters of journeys: %w", err)
	}
	return nil
}

// OnCollect has f called in each collection. With whole, all that was counted before is in it: else a new series shows its 0. Count waits meanwhile, so f
// must not call it.
func (m *Meter) OnCollect(f func(whole bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.collected = f
}

// End makes the next collection report all counts at once, also those of new series, which else start with a 0. Call it before the provider shuts down.
func (m *Meter) End() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range []*counter{m.judged, m.silent, m.incomplete, m.findings, m.pathTime, m.repeated} {
		c.ended = true
	}
}

// Close unregisters the counters from the provider.
func (m *Meter) Close() error { return m.registration.Unregister() }

// Know remembers the key of a summary that another reader has counted, so that Count skips it.
func (m *Meter) Know(partition int32, key journey.TraceID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys.add(partition, key)
}

// Forget drops the remembered keys of a partition that another reader has now.
func (m *Meter) Forget(partition int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys.partitions, partition)
}

// Count counts a summary of a partition. It returns false, and counts a repeat, when the summary's key was seen in the partition before.
func (m *Meter) Count(partition int32, s *summary.Summary) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.keys.add(partition, s.TraceID()) {
		m.repeated.add(attribute.NewSet(), 1)
		return false
	}
	name := s.Root.Service + " " + s.Root.Name
	if s.Root.Service == "" && s.Root.Name == "" {
		name = "no root"
	}
	root := m.roots.name(name)
	m.countOutcome(root, s)
	m.record(root, s)
	m.countPath(root, s)
	for rule, n := range s.Lint {
		m.findings.add(attribute.NewSet(keyRule.String(ruleName(rule))), float64(n))
	}
	return true
}

// countOutcome counts the journey by its outcome. The root's other outcomes get a series with 0, so that rates can be computed from the start.
func (m *Meter) countOutcome(root string, s *summary.Summary) {
	for _, outcome := range []summary.Outcome{summary.OK, summary.Error, summary.Incomplete} {
		n := 0.0
		if outcome == s.Outcome {
			n = 1
		}
		m.judged.add(attribute.NewSet(keyRoot.String(root), keyOutcome.String(string(outcome))), n)
	}
	silent := 0.0
	if s.Silent {
		silent = 1
	}
	m.silent.add(attribute.NewSet(keyRoot.String(root)), silent)
	m.incomplete.add(attribute.NewSet(keyRoot.String(root), keyReason.String(watcherReason)), 0)
	if s.Outcome == summary.Incomplete {
		reason := watcherReason
		if rule := s.ReasonRule(); rule != "" {
			reason = ruleName(rule)
		}
		m.incomplete.add(attribute.NewSet(keyRoot.String(root), keyReason.String(reason)), 1)
	}
}

// record adds the measures to the histograms, with the root's span as exemplar.
func (m *Meter) record(root string, s *summary.Summary) {
	ctx := exemplarOf(s)
	by := metric.WithAttributeSet(attribute.NewSet(keyRoot.String(root), keyOutcome.String(string(s.Outcome))))
	for _, x := range []struct {
		histogram metric.Float64Histogram
		value     *time.Duration
	}{{m.callerWait, s.CallerWait}, {m.completion, s.Completion}, {m.tail, s.Tail}} {
		if x.value != nil {
			x.histogram.Record(ctx, x.value.Seconds(), by)
		}
	}
	for _, q := range s.Queues {
		topic := m.destinations.name(q.Topic)
		by := metric.WithAttributeSet(attribute.NewSet(keyRoot.String(root), keyDestination.String(topic), keyOutcome.String(string(s.Outcome))))
		for _, wait := range q.Waits {
			m.queueWait.Record(ctx, max(0, wait).Seconds(), by) // a sum may only grow: a delivery before its acknowledgement waited for nothing
		}
	}
}

// countPath adds the time that steps have on the completion path.
func (m *Meter) countPath(root string, s *summary.Summary) {
	add := func(step string, work, wait time.Duration) {
		for segment, d := range map[string]time.Duration{"work": work, "wait": wait} {
			if d > 0 {
				m.pathTime.add(attribute.NewSet(keyRoot.String(root), keyStep.String(step), keySegment.String(segment)), d.Seconds())
			}
		}
	}
	for _, x := range s.Steps {
		step := x.Service + " " + x.Name
		if m.steps.name(root+"\x00"+step) == other {
			step = other
		}
		add(step, x.Work, x.Wait)
	}
	if s.Rest != nil {
		add(other, s.Rest.Work, s.Rest.Wait)
	}
}

// exemplarOf returns a context in which the root's span is the current one, and sampled: only then an SDK keeps it.
func exemplarOf(s *summary.Summary) context.Context {
	span, err := journey.ParseSpanID(s.Root.Span)
	if err != nil {
		return context.Background()
	}
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(s.TraceID()), SpanID: trace.SpanID(span), TraceFlags: trace.FlagsSampled,
	}))
}

// ruleName returns a rule's id, and other for what has not the form of one: summaries come from a topic that others may write to.
func ruleName(rule journey.RuleID) string {
	if len(rule) < 3 || len(rule) > 4 {
		return other
	}
	for i, c := range []byte(rule) {
		letter, digit := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z', c >= '0' && c <= '9'
		if i == 0 && !letter || !letter && !digit {
			return other
		}
	}
	return string(rule)
}
