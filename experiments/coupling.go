package experiments

import (
	"context"
	"errors"
	"slices"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// Measures of coupling.
const (
	anyErrors = "errors in all"
	coupledTo = "services felt"
)

// couplingForms are the forms whose coupling is compared; the last ones are shown in sum only.
func couplingForms() []services.Form {
	return []services.Form{services.GRPC, services.Kafka, "ack", services.Hybrid}
}

// coupling: on how many services the client's answer depends.
func coupling() Claim {
	parts := flows.Order().Services()
	const delta = 0.14 // share: one service of seven
	return Claim{
		Name:      "coupling",
		Statement: "messages couple services loosely",
		Rule:      "each service is stopped in turn: the share of client errors is smaller in kafka than in grpc by more than δ, one service of seven; \"no payment\" is the share of errors while payment is stopped",
		Delta:     Amount{delta, "share"}, Budget: 16 * time.Second, Size: Size{Orders: 80, Rate: 80, Seeds: 1}, Kind: Repeated,
		Signature: Signature{Words: "an answered order whose record waits for the service that is away, where grpc's call ends with an error", Seen: waitedFor(paymentService)},
		Predict: func(Size, Constants) ([]Prediction, error) {
			var list []Prediction
			for _, form := range couplingForms() {
				needed, err := answerNeeds(flows.Order(), form)
				if err != nil {
					return nil, err
				}
				list = append(list, Prediction{Arm: string(form), Measure: anyErrors, Value: float64(len(needed)) / float64(len(parts))},
					Prediction{Arm: string(form), Measure: coupledTo, Value: float64(len(needed))})
			}
			return list, nil
		},
		Measure: measureCoupling,
		Decide: func(f Figures) (Decision, error) {
			all := map[string]verdict.Estimate{}
			for _, form := range []string{"kafka", "ack", "hybrid"} {
				baseHits, baseOf, err := f.Share("grpc", anyErrors)
				hits, of, err2 := f.Share(form, anyErrors)
				if err := errors.Join(err, err2); err != nil {
					return Decision{}, err
				}
				if all[form], err = verdict.ShareDifference(baseHits, baseOf, hits, of); err != nil {
					return Decision{}, err
				}
			}
			return Decision{
				Parts: []verdict.Part{{Name: "kafka less grpc, share", Estimate: all["kafka"], Want: verdict.LessThan(-delta)}},
				Beside: []verdict.Part{
					{Name: "ack less grpc, share", Estimate: all["ack"]}, {Name: "hybrid less grpc, share", Estimate: all["hybrid"]},
				},
			}, nil
		},
		Draw: func(f Figures) Plot {
			return f.bars("Of how many services, of seven, does the client feel the absence?", coupledTo)
		},
		Alike:     func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "no service is stopped", Change: func(c *lab.Config) { c.Events = nil }}},
	}
}

// measureCoupling runs a lab for each service, in which it is stopped.
func measureCoupling(ctx context.Context, l *Lab) (Figures, error) {
	forms, flow := couplingForms(), flows.Order()
	down := outageIn("", len(forms)*l.size.Orders, l.size.Rate, longestOutage)
	var arms []Arm
	for _, part := range flow.Services() {
		config := l.Config(flow, forms...)
		down.part = part
		config.Events, config.Timeout, config.Deadline = down.events("stop"), patientClient, settleWithin
		arms = append(arms, Arm{Name: part, Config: config})
	}
	runs, err := l.Repeat(ctx, atATime, arms...)
	if err != nil {
		return nil, err
	}
	var f Figures
	var all []*Ran
	for i, form := range forms {
		hits, of, coupled := 0, 0, 0
		for _, part := range flow.Services() {
			k, n := 0, 0
			for _, ran := range runs[part] {
				orders := ran.during(form, down)
				k, n = k+count(orders, unanswered), n+len(orders)
			}
			if i < 2 {
				f.Count(string(form), "no "+part, k, n)
				all = append(all, runs[part]...)
			}
			if hits, of = hits+k, of+n; 2*k > n {
				coupled++
			}
		}
		f.Count(string(form), anyErrors, hits, of)
		f = append(f, Figure{Arm: string(form), Measure: coupledTo, Per: PerRun, Values: Values{float64(coupled)}})
	}
	l.Fair(slices.Compact(all)...)
	l.SteadyBefore(runs[paymentService], services.Kafka, down, steadyWithin)
	return f, l.Show(runs[paymentService][0], services.Kafka, numbersOf(runs[paymentService][0].during(services.Kafka, down), anyOrder)...)
}

const (
	patientClient = 3 * time.Second // longer than an outage, so that who waits for its end is answered
	settleWithin  = 5 * time.Second
)

// answerNeeds are the services that the client's answer depends on in a form.
func answerNeeds(flow *flows.Flow, form services.Form) ([]string, error) {
	plan, err := flow.Plan(form)
	if err != nil {
		return nil, err
	}
	needed := []string{services.Gateway}
	for _, hop := range plan.Hops {
		if service := hop.Step.Service(); plan.TellsClient(hop.Step) && !slices.Contains(needed, service) {
			needed = append(needed, service)
		}
	}
	return needed, nil
}
