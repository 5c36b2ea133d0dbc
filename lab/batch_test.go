package lab_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/lint"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestABatchOfSeveralOrders: one process span is part of all their journeys, what is done for one order is part of its own alone, and the wait for
// the others of the batch is told from the wait for the service. The run's figures are those of its files.
func TestABatchOfSeveralOrders(t *testing.T) {
	t.Parallel() // in virtual time
	const orders = 4
	virtually(t, func(c *lab.Config) {
		c.Flow, c.Forms, c.Orders, c.Rate = named("activity"), []flows.Form{"batch"}, orders, 500
	}, func(t *testing.T, result *lab.Result) {
		form := result.Forms["batch"]
		if len(result.Problems) > 0 || form.Journeys != orders || form.Effects.Once != 3*orders {
			t.Fatalf("problems %q, %d journeys, %+v: want none, %d, and each step once", result.Problems, form.Journeys, form.Effects, orders)
		}
		journeys := group(t, result, "batch")
		last := int64(0) // when the broker had the last of the messages
		for _, j := range journeys {
			_, end := j.Set().Times(sender(t, j))
			last = max(last, end)
		}
		var completions []float64 // in milliseconds
		handlings := map[journey.Ref]int{}
		own := 0
		for _, j := range journeys {
			completions = append(completions, float64(j.Completion())/1e6)
			for _, i := range j.Spans() {
				if span := j.Set().Span(i); span.Name == "process activity.happened" {
					handlings[span.Ref()]++
				} else {
					own++
				}
			}
			waited, total := time.Duration(0), time.Duration(0)
			for _, segment := range j.CompletionPath() {
				total += segment.Duration()
				if segment.Wait && segment.Class == journey.ClassBatch {
					waited += segment.Duration()
				}
			}
			_, end := j.Set().Times(sender(t, j))
			if waited != time.Duration(last-end) || total != j.Completion() {
				t.Errorf("waited %v for the others of the batch, %v in all: want %v and %v", waited, total, time.Duration(last-end), j.Completion())
			}
		}
		for ref, n := range handlings {
			if len(handlings) != 1 || n != orders {
				t.Errorf("%d process spans of batches; %s is part of %d journeys: want one, part of all", len(handlings), ref.Span, n)
			}
		}
		if form.SpanCount != own+1 {
			t.Errorf("%d spans in the report, want those of the orders, %d, and the batch's, once", form.SpanCount, own)
		}
		if diff := cmp.Diff(compare.Summarize(completions), form.Completion); diff != "" {
			t.Errorf("completion of the files and of the report:\n%s", diff)
		}
		if found := lint.Check(journey.NewSet(runSpans(t, result))).Findings; len(found) > 0 {
			t.Errorf("%d findings of lint, the first: %+v", len(found), found[0])
		}
	})
}

// sender is the span that sent the message of a journey that was handled in a batch.
func sender(t *testing.T, j *drawn) journey.Index {
	t.Helper()
	for _, i := range j.Spans() {
		if j.Set().Span(i).Name == "send activity.happened" {
			return i
		}
	}
	t.Fatal("the journey has no message")
	return -1
}

// TestAUnitOfABatchFailsAlone: the same orders fail as by message, and each is told of by itself.
func TestAUnitOfABatchFailsAlone(t *testing.T) {
	t.Parallel() // in virtual time
	f := named("activity")
	fault, err := services.ParseFault(f, "activity:error=lost@0.5")
	if err != nil {
		t.Fatal(err)
	}
	const orders = 10
	virtually(t, func(c *lab.Config) {
		c.Flow, c.Forms, c.Orders, c.Rate, c.Faults = f, []flows.Form{"message", "batch"}, orders, 400, append(c.Faults, fault)
	}, func(t *testing.T, result *lab.Result) {
		message, batch := result.Forms["message"], result.Forms["batch"]
		if message.Orders != batch.Orders || message.Effects != batch.Effects || batch.Journeys != orders || batch.Orders.Failed != orders/2 {
			t.Errorf("by message %+v %+v, in batches %+v %+v, %d journeys, problems %q: want the same, half of the orders failed", message.Orders, message.Effects, batch.Orders, batch.Effects, batch.Journeys, result.Problems)
		}
	})
}
