package experiments

import (
	"fmt"
	"slices"

	"tracelab/experiments/model"
	"tracelab/services"
	"tracelab/services/flows"
)

// Path is an order's way through a form of a flow, as the model takes it: with the costs that the seed draws for that order, and what a
// step takes beyond them.
func Path(flow *flows.Flow, form services.Form, seed uint64, number int, k Constants) (model.Path, error) {
	plan, err := flow.Plan(form)
	if err != nil {
		return model.Path{}, err
	}
	return pathOf(flow, plan, plan.Hops, seed, number, k), nil
}

// PathTo is the way of an order to the end of one step, and of what has to be done before it.
func PathTo(step services.Step, flow *flows.Flow, form services.Form, seed uint64, number int, k Constants) (model.Path, error) {
	plan, err := flow.Plan(form)
	if err != nil {
		return model.Path{}, err
	}
	needed := map[services.Step]bool{step: true}
	var hops []flows.Hop
	for _, hop := range slices.Backward(plan.Hops) {
		if needed[hop.Step] {
			hops = append(hops, hop)
			for _, before := range hop.After {
				needed[before] = true
			}
		}
	}
	slices.Reverse(hops)
	return pathOf(flow, plan, hops, seed, number, k), nil
}

func pathOf(flow *flows.Flow, plan *flows.Plan, hops []flows.Hop, seed uint64, number int, k Constants) model.Path {
	e := services.Experiment{Seed: seed, Number: number}
	depth := map[services.Step]int{}
	var stages []model.Stage
	var steps [][]services.Step // by stage
	for _, hop := range hops {
		row, _ := flow.Row(hop.Step)
		cost, _ := e.Cost(row)
		if cost > 0 {
			cost += k.Step
		}
		at := 0
		for _, before := range hop.After {
			at = max(at, depth[before]+1)
		}
		if plan.OneByOne && hop.By != flows.Local { // one call after another
			at = len(stages)
		}
		depth[hop.Step] = at
		for len(stages) <= at {
			stages, steps = append(stages, nil), append(steps, nil)
		}
		stages[at] = append(stages[at], model.Step{Cost: cost, Reach: reach(hop), Joins: hop.Join})
		steps[at] = append(steps[at], hop.Step)
	}
	answered := answeredAfter(plan, steps)
	front := model.Stage{{Cost: k.Front}} // the calls to the gateway and to the entry
	return model.Path{Answer: append([]model.Stage{front}, stages[:answered]...), Rest: stages[answered:]}
}

// reach says how a hop leads to its step.
func reach(hop flows.Hop) model.Reach {
	switch {
	case hop.By == flows.Local, len(hop.After) == 0: // the way to the entry is in front
		return model.Local
	case hop.By.IsMessage():
		return model.Message
	}
	return model.Call
}

// answeredAfter is how many stages the answer waits for.
func answeredAfter(plan *flows.Plan, steps [][]services.Step) int {
	if plan.EndsInCall() {
		return len(steps)
	}
	before := plan.BeforeAnswer()
	for i, stage := range steps {
		if slices.ContainsFunc(stage, func(s services.Step) bool {
			hop, _ := plan.Hop(s)
			return before != nil && !before[s] || before == nil && hop.By.IsMessage()
		}) {
			return i
		}
	}
	return len(steps)
}

// predictTimes returns the predicted medians of caller wait and completion of a form, in milliseconds.
func predictTimes(flow *flows.Flow, form services.Form, size Size, k Constants) (wait, completion float64, err error) {
	var waits, completions []float64
	for number := range size.Orders {
		path, err := Path(flow, form, size.Seed, number, k)
		if err != nil {
			return 0, 0, fmt.Errorf("predict %s: %w", form, err)
		}
		times, err := path.Predict(k.Constants)
		if err != nil {
			return 0, 0, fmt.Errorf("predict %s: %w", form, err)
		}
		waits, completions = append(waits, milliseconds(times.Wait)), append(completions, milliseconds(times.Completion))
	}
	return middle(waits), middle(completions), nil
}
