package experiments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/experiments/model"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// What goes wrong: the first attempt at payment of some orders. And how messages go on from there.
const (
	chargeStep   services.Step = "payment.Charge"
	firstFails                 = "payment:error=bank_unreachable@0.3,attempt=1"
	failingShare               = 0.3
)

// payAgain is how a failed payment is tried again.
func payAgain() flows.Retry {
	return flows.Retry{Times: 3, Within: 2 * time.Second, Backoff: 50 * time.Millisecond}
}

// Measures of who hears of a failure.
const (
	toldWrong    = "orders whose answer is not as drawn"
	toldErrors   = "client errors"
	notDone      = "orders not completed"
	withoutRetry = "orders hit that were not tried again"
)

// failingService: who hears of a failure, and what becomes of the order.
func failingService() Claim {
	const again = "grpc, tried again"
	return Claim{
		Name:      "failing-service",
		Statement: "sync tells errors at once; async handles them later, by retry",
		Rule:      "order by order: in grpc the client gets an error exactly where the first attempt at payment fails; in kafka, where payment is tried again, it gets none, every order completes, and every hit order shows a second attempt",
		Delta:     Amount{1, "orders"}, Budget: 3 * time.Second, Size: Size{Orders: 80, Rate: 40, Seeds: 1}, Kind: Calm, Needs: Needs{},
		Signature: Signature{Words: "a failed payment.Charge, and a second one that succeeds under a process span linked to the first attempt", Seen: triedAgain},
		Predict: func(size Size, _ Constants) ([]Prediction, error) {
			attempts, err := model.Attempts(failingShare, 1)
			return []Prediction{
				{Arm: "grpc", Measure: toldErrors, Value: failingShare}, {Arm: "kafka", Measure: toldErrors}, {Arm: again, Measure: toldErrors},
				{Arm: "kafka", Measure: "attempts at payment", Value: attempts},
			}, err
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			flow := flows.Order()
			retried := WithRow(flow, chargeStep, func(row *flows.Row) { row.Retry = payAgain() })
			hits, err := parseFaults(flow, firstFails)
			if err != nil {
				return nil, err
			}
			arms := []Arm{
				{Name: "grpc", Config: l.Config(flow, services.GRPC)}, {Name: "kafka", Config: l.Config(retried, services.Kafka)}, {Name: again, Config: l.Config(retried, services.GRPC)},
			}
			for i := range arms {
				arms[i].Config.Faults = hits
			}
			runs, err := l.Repeat(ctx, atATime, arms...) // side by side: who hears of a failure depends on no time
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, arm := range arms {
				ran, form := runs[arm.Name][0], arm.Config.Forms[0]
				journeys, err := ran.Journeys(form)
				if err != nil {
					return nil, err
				}
				failures(&f, arm.Name, ran.Orders(form), journeys)
			}
			shown := runs["kafka"][0]
			return f, l.Show(shown, services.Kafka, hitOrders(shown.Orders(services.Kafka))...)
		},
		Decide: func(f Figures) (Decision, error) {
			count := func(arm, measure string) (verdict.Estimate, error) {
				hits, of, err := f.Share(arm, measure)
				return verdict.Exact(float64(hits), of, "orders"), err
			}
			grpc, err := count("grpc", toldWrong)
			kafka, err2 := count("kafka", toldErrors)
			lost, err3 := count("kafka", notDone)
			single, err4 := count("kafka", withoutRetry)
			beside, err5 := count(again, toldErrors)
			return Decision{Parts: []verdict.Part{
				{Name: "grpc: answers not as drawn", Estimate: grpc, Want: verdict.AtMost(0)},
				{Name: "kafka: client errors", Estimate: kafka, Want: verdict.AtMost(0)},
				{Name: "kafka: orders not completed", Estimate: lost, Want: verdict.AtMost(0)},
				{Name: "kafka: hit and not tried again", Estimate: single, Want: verdict.AtMost(0)},
			}, Beside: []verdict.Part{{Name: "grpc tried again: client errors", Estimate: beside}}}, errors.Join(err, err2, err3, err4, err5)
		},
		Draw:  func(f Figures) Plot { return f.bars("Which share of the clients gets an error?", toldErrors) },
		Alike: func(c *lab.Config) { carryAs(c, services.Kafka, services.GRPC); c.Flow = untried(c.Flow) },
		Sabotages: []Sabotage{
			{Name: "messages are not tried again", Change: func(c *lab.Config) { c.Flow = untried(c.Flow) }, Want: verdict.DoesNotHold},
			{Name: "nothing fails", Change: func(c *lab.Config) { c.Faults = nil }, Want: verdict.DoesNotHold},
		},
	}
}

func untried(flow *flows.Flow) *flows.Flow {
	return WithRow(flow, chargeStep, func(row *flows.Row) { row.Retry = flows.Retry{} })
}

// failures adds the figures of who heard of a failure in one arm.
func failures(f *Figures, arm string, orders []rundir.Order, journeys []*journey.Journey) {
	wrong, told, undone, single, hit := 0, 0, 0, 0, 0
	var attempts []float64
	for i, o := range orders {
		if o.Answered() == (len(o.Hit) > 0) {
			wrong++
		}
		if !o.Answered() {
			told++
		}
		if o.Outcome != "completed" {
			undone++
		}
		if journeys[i] == nil {
			attempts = append(attempts, nan())
			continue
		}
		n := stepsNamed(journeys[i], chargeStep)
		attempts = append(attempts, float64(n))
		if len(o.Hit) > 0 {
			hit++
			if n < 2 {
				single++
			}
		}
	}
	if hit == 0 { // nothing failed: nothing can be said of attempts
		hit, single = 1, 1
	}
	f.Count(arm, toldErrors, told, len(orders))
	f.Count(arm, toldWrong, wrong, len(orders))
	f.Count(arm, notDone, undone, len(orders))
	f.Count(arm, withoutRetry, single, hit)
	var known float64
	for _, n := range Values(attempts).known() {
		known += n
	}
	*f = append(*f, Figure{Arm: arm, Measure: "attempts at payment", Unit: "an order", Per: PerRun, Values: Values{known / float64(max(1, len(Values(attempts).known())))}})
}

// hitOrders are the numbers of the orders that a fault hit.
func hitOrders(orders []rundir.Order) []int {
	return numbersOf(orders, func(o rundir.Order) bool { return !spared(o) })
}

// stepsNamed counts the attempts at a step.
func stepsNamed(j *journey.Journey, step services.Step) int {
	n := 0
	for _, i := range j.Spans() {
		if name, ok := j.Set().Span(i).Attr(services.KeyStep); ok && name.String() == string(step) {
			n++
		}
	}
	return n
}

// triedAgain tells whether payment failed once and was done afterwards, under a span that is linked to the attempt before.
func triedAgain(j *journey.Journey) error {
	set := j.Set()
	failed, linked := false, false
	for _, i := range j.Spans() {
		span := set.Span(i)
		if name, ok := span.Attr(services.KeyStep); ok && name.String() == string(chargeStep) && set.Failed(i) {
			failed = true
		}
		for e := range set.Causes(i) {
			linked = linked || e.Class == journey.ClassRetry
		}
	}
	switch n := stepsNamed(j, chargeStep); {
	case !failed:
		return fmt.Errorf("no attempt at %s failed", chargeStep)
	case n < 2:
		return fmt.Errorf("%s was tried once", chargeStep)
	case !linked:
		return errors.New("no attempt is linked to the one before")
	}
	return nil
}
