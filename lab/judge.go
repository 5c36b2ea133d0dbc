package lab

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/journey/source"
	"tracelab/services"
)

// evidence is all spans of a run so far, stitched.
type evidence struct {
	set   *journey.Set
	table services.Topology
	open  *openSpans
}

// gather reads batches of spans.
func gather(batches [][]byte, table services.Topology, open *openSpans) (evidence, error) {
	var spans []journey.Span
	for _, batch := range batches {
		some, err := source.FromOTLP(batch, "collected")
		if err != nil {
			return evidence{}, fmt.Errorf("read collected spans: %w", err)
		}
		spans = append(spans, some...)
	}
	return evidence{set: journey.NewSet(spans), table: table, open: open}, nil
}

// journey finds an order's journey by its root, and says why it is not complete, or "". A journey is complete when
// every step and every delivery that the order's own state makes expect is there, every parent and link target is, and
// no span of it is open. Silence proves nothing.
func (e evidence) journey(o order, state services.State, recorded bool) (*journey.Journey, string) {
	j := e.find(o)
	switch {
	case j == nil:
		return nil, "the client's span is missing"
	case e.open.open(orderKey{services.Form(o.Form), o.Number}) > 0:
		return j, "a span has not ended"
	case recorded && state.Status == services.Accepted:
		return j, "the order is pending"
	}
	for _, w := range j.Warnings() {
		if w.Rule == journey.RuleOrphan || w.Rule == journey.RuleLinkTarget {
			return j, w.Text
		}
	}
	if !recorded {
		return j, ""
	}
	steps, deliveries := e.expected(state)
	return j, e.missing(j, steps, deliveries)
}

func (e evidence) find(o order) *journey.Journey {
	trace, err := journey.ParseTraceID(o.Trace)
	if err != nil {
		return nil
	}
	span, err := journey.ParseSpanID(o.span)
	if err != nil {
		return nil
	}
	i, ok := e.set.Find(journey.Ref{Trace: trace, Span: span})
	if !ok {
		return nil
	}
	journey, _ := e.set.JourneyFrom(i)
	return journey
}

// expected is what an order's state makes expect: the steps that are not behind a failed one, and the messages between
// them. Of an order that was cut off (its client went away, time ran out, a service could not be reached) only the steps
// that it is known to have done are expected: how far the others got is chance.
func (e evidence) expected(state services.State) ([]services.Step, map[string]int) {
	var failed []services.Step
	for _, f := range state.Failures {
		if f.CutOff() {
			return state.Steps, nil
		}
		failed = append(failed, services.Step(f.Step))
	}
	return e.table.Without(failed...), e.table.Deliveries(state.Form, failed...)
}

// missing names the first expected thing that is not there.
func (e evidence) missing(journey *journey.Journey, steps []services.Step, deliveries map[string]int) string {
	done, delivered := map[services.Step]int{}, map[string]int{}
	for _, i := range journey.Spans() {
		span := e.set.Span(i)
		if step, ok := span.Attr(services.KeyStep); ok {
			done[services.Step(step.String())]++
		}
		if handles(span) {
			delivered[e.topicOf(span)]++
		}
	}
	for _, step := range steps {
		if done[step] == 0 {
			return "no span of step " + string(step)
		}
	}
	for topic, n := range deliveries {
		if delivered[topic] < n {
			return fmt.Sprintf("%d of %d deliveries of %s have a span", delivered[topic], n, topic)
		}
	}
	return ""
}

// handles tells whether a span is the handling of one message, in today's names or in kotel's.
func handles(span *journey.Span) bool {
	m, ok := span.Messaging()
	return ok && m.Operation == semconv.OperationProcess
}

// topicOf is the destination as the table of hops names it, without the prefix of a run.
func (e evidence) topicOf(span *journey.Span) string {
	m, _ := span.Messaging()
	name := m.Topic()
	for _, topic := range e.table.Topics() {
		if strings.HasSuffix(name, topic) {
			return topic
		}
	}
	return name
}

// verdict is one order with its journey.
type verdict struct {
	order   order            // Incomplete says why, or is ""
	journey *journey.Journey // nil without a root
}

// judge waits until every order's journey is complete, for as long as the context lasts, and returns all of them: the
// incomplete ones say why. Flush makes spans that have ended reach the collector. Spans that are in a Jaeger are fetched
// round by round, from the first order on whose journey is not complete; at least one round is made, whatever the time.
func judge(ctx context.Context, env *environment, table services.Topology, placed []order, states []services.State, flush func(context.Context) error) (evidence, []verdict, error) {
	byOrder := map[orderKey]services.State{}
	for _, s := range states {
		byOrder[orderKey{s.Form, s.Number}] = s
	}
	since := env.jaeger.since(earliest(placed))
	for {
		_, more := env.collector.From(0)
		if err := flush(context.WithoutCancel(ctx)); err != nil {
			return evidence{}, nil, err
		}
		if env.jaeger != nil {
			if err := env.jaeger.fetch(ctx, since.Add(-clockMargin), env.collector); err != nil {
				return evidence{}, nil, err
			}
		}
		e, err := gather(env.batches(), table, env.open)
		if err != nil {
			return e, nil, err
		}
		verdicts := make([]verdict, len(placed))
		var incomplete []order
		for i, o := range placed {
			state, recorded := byOrder[orderKey{services.Form(o.Form), o.Number}]
			journey, why := e.journey(o, state, recorded)
			o.Incomplete = why
			verdicts[i] = verdict{o, journey}
			if why != "" {
				incomplete = append(incomplete, o)
			}
		}
		if len(incomplete) == 0 || env.noMoreSpans(ctx) {
			return e, verdicts, nil
		}
		since = earliest(incomplete)
		env.awaitSpans(ctx, more)
	}
}

// noMoreSpans tells that waiting is over, or of no use.
func (env *environment) noMoreSpans(ctx context.Context) bool {
	return ctx.Err() != nil || env.jaeger != nil && env.jaeger.hopeless()
}

// awaitSpans waits until there may be more spans, or the context ends. More is closed when the collector gets some.
func (env *environment) awaitSpans(ctx context.Context, more <-chan struct{}) {
	if env.jaeger != nil {
		env.jaeger.rest(ctx)
		return
	}
	select {
	case <-more:
	case <-time.After(50 * time.Millisecond): // a span may have ended without a new batch
	case <-ctx.Done():
	}
	pause(ctx, 20*time.Millisecond) // spans come in bursts, and reading them all costs
}

// earliest is when the first of the orders was to begin.
func earliest(orders []order) time.Time {
	first := time.Now()
	for _, o := range orders {
		if o.Intended.Before(first) {
			first = o.Intended
		}
	}
	return first
}

// whyIncomplete sums the reasons up, for a warning.
func whyIncomplete(verdicts []verdict) string {
	counts := map[string]int{}
	var reasons []string
	for _, v := range verdicts {
		why := v.order.Incomplete
		if why == "" {
			continue
		}
		if counts[why]++; counts[why] == 1 {
			reasons = append(reasons, why)
		}
	}
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%d × %s", counts[reason], reason)
	}
	return strings.Join(reasons, ", ")
}
