package lab

import (
	"fmt"
	"strconv"
	"strings"

	"tracelab/journey"
	"tracelab/services"
)

// Reach is what a reader of traces finds of a form's complete journeys, which --relation decides. All are sums over its
// orders.
type Reach struct {
	CallerSpans int `json:"caller_trace_spans"` // in the trace that the caller's span began
	CallerSteps int `json:"caller_trace_steps"`
	Links       int `json:"links"`
	Sent        int `json:"sent_spans"`      // one for each record
	Received    int `json:"received_spans"`  // of one order's records; polls of several orders are not among them
	Processed   int `json:"processed_spans"` // one for each delivery
}

// reachOf counts the spans of one journey.
func reachOf(j *journey.Journey) Reach {
	var r Reach
	set := j.Set()
	root, rooted := j.Root()
	for _, i := range j.Spans() {
		span := set.Span(i)
		r.Links += len(span.Links)
		if rooted && span.Trace == set.Span(root).Trace {
			r.CallerSpans++
			if _, ok := span.Attr(services.KeyStep); ok {
				r.CallerSteps++
			}
		}
		switch {
		case firstAttr(span, "messaging.system") == "":
		case span.Kind == journey.KindProducer:
			r.Sent++
		case handles(span):
			r.Processed++
		default:
			r.Received++
		}
	}
	return r
}

// add adds the counts of another journey.
func (r *Reach) add(o Reach) {
	r.CallerSpans += o.CallerSpans
	r.CallerSteps += o.CallerSteps
	r.Links += o.Links
	r.Sent += o.Sent
	r.Received += o.Received
	r.Processed += o.Processed
}

// relationChanged says what a relation other than both, the default, has changed for a reader of traces.
func (r *Result) relationChanged(b *strings.Builder) {
	if r.Relation == "" || r.Relation == services.RelationBoth.String() {
		return
	}
	lines := false
	for _, form := range r.forms() {
		f := r.Forms[form]
		if f.Journeys == 0 || f.Reach == nil || f.Reach.Processed == 0 { // a form without messages has no relation
			continue
		}
		if !lines {
			fmt.Fprintf(b, "What relation %s changes for a reader of the traces, %s:\n", r.Relation, r.unit().one())
			lines = true
		}
		mean := func(n int) string { return strconv.FormatFloat(float64(n)/float64(f.Journeys), 'g', 3, 64) }
		spans, steps := f.SpanCount, r.stepCount()*f.Journeys
		if f.Incomplete > 0 { // whose spans are in the sum
			spans = 0
		}
		fmt.Fprintf(b, "  %s: %s; the caller's own trace has %s%s spans and %s of %s steps", form, times(mean(f.Traces), "trace"),
			mean(f.Reach.CallerSpans), of(mean, spans), mean(f.Reach.CallerSteps), mean(steps))
		fmt.Fprintf(b, "; %s\n    spans of messages: %s sent, %s received, %s processed\n", times(mean(f.Reach.Links), "link"), mean(f.Reach.Sent), mean(f.Reach.Received), mean(f.Reach.Processed))
	}
	if lines {
		b.WriteString("  with relation both: 1 trace with all spans and steps; each processed span has a parent and a link; none received\n\n")
	}
}

// of writes what a number is a part of, unless that is not known.
func of(mean func(int) string, n int) string {
	if n == 0 {
		return ""
	}
	return " of " + mean(n)
}

// times writes a number with its noun.
func times(n, noun string) string {
	if n == "1" {
		return n + " " + noun
	}
	return n + " " + noun + "s"
}

// stepCount is how many steps an order has.
func (r *Result) stepCount() int { return len(r.StepOrder) }
