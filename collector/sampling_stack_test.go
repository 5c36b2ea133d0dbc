//go:build stack

package collector_test

import (
	"fmt"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"go.opentelemetry.io/otel/trace"
)

// wait is the time to a decision in these tests.
const wait = 3 * time.Second

func startSampling(t testing.TB, j *jaeger, keep string) *collector {
	t.Helper()
	return startCollector(t, collectorOptions{jaeger: j.otlp, configs: []string{"tail-sampling.yaml"},
		env: []string{"COLLECTOR_DECISION_WAIT=" + wait.String(), "COLLECTOR_SLOW_MS=500", "COLLECTOR_KEEP_PERCENT=" + keep}})
}

// decisions are the sampler's accounts of traces.
type decisions struct{ seen, kept, dropped, errors, slow, share float64 }

// awaitDecisions waits until every trace is decided: that the counts add up is what it waits for.
func (c *collector) awaitDecisions(t testing.TB, traces int) (d decisions) {
	t.Helper()
	await(t, "every trace is decided", func() error {
		all := page(t, c.metrics)
		const prefix = "otelcol_processor_tail_sampling_"
		kept := func(policy string) float64 {
			return sum(all, prefix+"count_traces_sampled", "policy", policy, "decision", "sampled")
		}
		d = decisions{seen: sum(all, prefix+"new_trace_id_received"), kept: sum(all, prefix+"global_count_traces_sampled", "decision", "sampled"),
			dropped: sum(all, prefix+"global_count_traces_sampled", "decision", "not_sampled"), errors: kept("errors"), slow: kept("slow"), share: kept("share")}
		if d.seen != float64(traces) || d.seen != d.kept+d.dropped || d.kept != d.errors+d.slow+d.share {
			return fmt.Errorf("%+v of %d traces", d, traces)
		}
		return nil
	})
	return d
}

// perTrace counts the spans of each trace.
func perTrace(found []stored) map[string]int {
	spans := map[string]int{}
	for _, span := range found {
		spans[span.trace]++
	}
	return spans
}

// root and quick are the synchronous part of an order, and tail what happens to it later.
var (
	root  = spec{service: "gateway", name: "POST /orders", end: 5 * time.Millisecond}
	quick = []spec{
		{service: "orders", name: "orders.Accept", start: time.Millisecond, end: 4 * time.Millisecond},
		{service: "orders", name: "send order.placed", start: 2 * time.Millisecond, end: 3 * time.Millisecond},
	}
	tail = spec{service: "shipping", name: "process payment.captured", end: 20 * time.Millisecond}
)

// TestErrorsAndSlowTracesAreKept also holds what becomes of a tail that comes after its trace's root, before the decision and after it.
func TestErrorsAndSlowTracesAreKept(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startSampling(t, j, "0")
	s := newSender(t, c.otlp, telemetry.QueueConfig{Interval: 20 * time.Millisecond})
	failing, slow := tail, tail
	failing.failed = true
	slow.end = 600 * time.Millisecond
	want := map[string]int{} // traces and the spans that Jaeger must have of them
	began := time.Now()
	var waiting, late []trace.SpanContext
	for range 20 {
		s.send(trace.SpanContext{}, began, root, quick...)
		want[s.send(trace.SpanContext{}, began, root, append(quick, failing)...).TraceID().String()] = 4
		want[s.send(trace.SpanContext{}, began, root, append(quick, slow)...).TraceID().String()] = 4
		waiting = append(waiting, s.send(trace.SpanContext{}, began, root, quick...))
		late = append(late, s.send(trace.SpanContext{}, began, root, quick...))
	}
	// A message waits in its queue for a while, and its handling fails: the trace is decided as a whole.
	await(t, "the sampler has the beginning of every trace", func() error {
		if got := sum(page(t, c.metrics), "otelcol_processor_tail_sampling_new_trace_id_received"); got != 100 {
			return fmt.Errorf("%.0f traces", got)
		}
		return nil
	})
	for _, span := range waiting {
		s.send(span, time.Now(), failing)
		want[span.TraceID().String()] = 4
	}
	d := c.awaitDecisions(t, 100)
	if d != (decisions{seen: 100, kept: 60, dropped: 40, errors: 40, slow: 20}) {
		t.Errorf("%+v: want 40 for their errors and 20 for their time", d)
	}
	// A tail after the decision follows it, whatever it brings, and is no new trace.
	for _, span := range late {
		s.send(span, time.Now(), failing)
	}
	for id := range want {
		parsed, err := trace.TraceIDFromHex(id)
		if err != nil {
			t.Fatal(err)
		}
		s.send(trace.NewSpanContext(trace.SpanContextConfig{TraceID: parsed, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled}), time.Now(), tail)
		want[id] = 5
	}
	counts := s.finish(t)
	s.awaitCalls(t, c) // all of them, sampled or not
	await(t, "kept traces in Jaeger", func() error {
		got := perTrace(j.spans(t, senderServices))
		for id, spans := range want {
			if got[id] != spans {
				return fmt.Errorf("trace %s has %d spans, want %d", id, got[id], spans)
			}
		}
		if len(got) != len(want) {
			return fmt.Errorf("%d traces, want %d", len(got), len(want))
		}
		return nil
	})
	if again := c.awaitDecisions(t, 100); again != d {
		t.Errorf("%+v after the late tails, want %+v as before", again, d)
	}
	if sums := c.sums(t); sums.accepted != float64(counts.Exported) || sums.sent != 300 || sums.failed != 0 || sums.queued != 0 {
		t.Errorf("%+v: want all accepted and 300 sent", sums)
	}
}

func TestAShareOfTheRestIsKept(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startSampling(t, j, "30")
	s := newSender(t, c.otlp, telemetry.QueueConfig{})
	s.journeys(400)
	s.finish(t)
	d := c.awaitDecisions(t, 400)
	if d.share < 60 || d.share > 180 { // 120 are expected, with a standard deviation of 9
		t.Errorf("%+v: want about 30 of 100", d)
	}
	await(t, "kept traces in Jaeger", func() error {
		got := perTrace(j.spans(t, senderServices))
		for id, spans := range got {
			if spans != 4 {
				return fmt.Errorf("trace %s has %d spans, want 4", id, spans)
			}
		}
		if len(got) != int(d.kept) {
			return fmt.Errorf("%d traces, want %.0f", len(got), d.kept)
		}
		return nil
	})
}
