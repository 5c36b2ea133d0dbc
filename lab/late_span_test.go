package lab_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestALateSpanOpensItsJourneyAgain gives a judge a span after the order's journey was measured.
func TestALateSpanOpensItsJourneyAgain(t *testing.T) {
	spans, store, open := tracer(t, "run")
	ctx, root := spans.Start(inOrder(t, "run", 0), "POST /orders", trace.WithSpanKind(trace.SpanKindClient))
	for _, hop := range flows.Order().Rows {
		_, step := spans.Start(ctx, string(hop.Step), trace.WithAttributes(attribute.String(services.KeyStep, string(hop.Step))))
		step.End()
	}
	root.End()
	judge := lab.NewJudge(t, "run", 1, open)
	judge.Answer(lab.WithRoot(rundir.Order{Form: "grpc"}, root.SpanContext()))
	next := judge.TakeFrom(t, store, 0)
	before, late := judge.Completion(0)
	if before == 0 || late != 0 {
		t.Fatalf("completion %v, %d late spans, want a journey that is measured", before, late)
	}
	_, last := spans.Start(ctx, "a repeat", trace.WithTimestamp(time.Now()))
	last.End(trace.WithTimestamp(time.Now().Add(time.Second)))
	judge.TakeFrom(t, store, next)
	if after, late := judge.Completion(0); after < before+900 || late != 1 {
		t.Errorf("completion %v ms, %d late spans, want a second more than %v, and 1", after, late, before)
	}
}

// TestAResultThatWasReadBackCanBeWritten also finds that one with nothing in it can.
func TestAResultThatWasReadBackCanBeWritten(t *testing.T) {
	t.Parallel() // in virtual time
	result := quickly(t, func(c *lab.Config) { c.Orders, c.Faults = 2, faults("payment:delay=1ms") })
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range []string{string(text), `{}`, `{"forms":{"grpc":null,"rest":{}},"cpu_profile":{},"jaeger":{}}`} {
		var read lab.Result
		if err := json.Unmarshal([]byte(document), &read); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := read.WriteText(&b, format.Style{}); err != nil {
			t.Error(err)
		}
	}
}

// TestARunThatIsEndedEarlyIsJudgedAndMarked closes the channel after the first answers.
func TestARunThatIsEndedEarlyIsJudgedAndMarked(t *testing.T) {
	t.Parallel() // in virtual time
	end := make(chan struct{})
	ended := false
	result := quickly(t, func(c *lab.Config) {
		end = make(chan struct{})
		c.Orders, c.Rate, c.EndEarly, c.Forms = 50, 10, end, []services.Form{services.GRPC}
		c.Progress = func(at lab.Progress) {
			if at.Stage == "placing orders" && at.Answered == 3 && !ended {
				ended = true
				close(end)
			}
		}
	})
	f := result.Forms[services.GRPC]
	if !result.EndedEarly || f.Orders.Placed < 3 || f.Orders.Placed > 10 || f.Journeys != f.Orders.Placed {
		t.Errorf("ended early %v, %+v, %d journeys", result.EndedEarly, f.Orders, f.Journeys)
	}
	balanced(t, result)
}
