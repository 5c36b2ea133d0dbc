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
	"tracelab/services"
	"tracelab/services/flows"
)

// Slopes of a chain.
const (
	waitSlope       = "wait, each link more"
	completionSlope = "completion, each link more"
)

// linkCost is the median of what a link of chain:n takes.
const linkCost = 5.0 // ms

const chained services.Form = "chained"

func chainLengths() []int { return []int{1, 2, 4, 8} }

func chainForms() []services.Form { return []services.Form{chained, "ack", services.Kafka} }

// chainLength: latency grows with each link, and who feels it.
func chainLength() Claim {
	const delta = linkCost / 2
	return Claim{
		Name:      "chain-length",
		Statement: "latency grows as calls chain together",
		Rule:      "the completion grows by more than δ with each link in every form, and so does the wait where calls nest; the wait of ack and kafka grows by no more than δ, which is so by definition: they answer before the chain",
		Delta:     Amount{delta, "ms"}, Budget: 15 * time.Second, Size: Size{Orders: 40, Rate: 40, Seeds: 1}, Kind: Calm, Needs: Needs{},
		Signature: Signature{Words: "the domino row: 8 calls, each open while the next one works", Seen: func(j *journey.Journey) error {
			if n, _ := calls(j); n < 9 {
				return fmt.Errorf("%g calls, not 9 and more", n)
			}
			return nil
		}},
		Predict: func(_ Size, k Constants) ([]Prediction, error) {
			cost, err := model.LogNormalMax(5*time.Millisecond, flows.DefaultSpread, 1)
			if err != nil {
				return nil, err
			}
			var list []Prediction
			for _, form := range chainForms() {
				reach := model.Call
				if form == services.Kafka {
					reach = model.Message
				}
				slope, err := model.ChainSlope(model.Step{Cost: cost + k.Step, Reach: reach}, form != chained, k.Constants)
				if err != nil {
					return nil, err
				}
				list = append(list, Prediction{string(form), waitSlope, milliseconds(slope.Wait), true}, Prediction{string(form), completionSlope, milliseconds(slope.Completion), true})
			}
			return list, nil
		},
		Measure: measureChains,
		Decide: func(f Figures) (Decision, error) {
			var parts []verdict.Part
			var errs []error
			for _, form := range chainForms() {
				for _, m := range []string{completionSlope, waitSlope} {
					values, err := f.Values(string(form), m)
					if err != nil {
						errs = append(errs, err)
						continue
					}
					slope, err := verdict.Quantile(Values(values).known(), 0.5)
					want := verdict.MoreThan(delta)
					if m == waitSlope && form != chained {
						want = verdict.Within(0, delta)
					}
					errs, parts = append(errs, err), append(parts, verdict.Part{Name: fmt.Sprintf("%s, %s, ms", form, m), Estimate: slope, Want: want})
				}
			}
			return Decision{Parts: parts}, errors.Join(errs...)
		},
		Draw: func(f Figures) Plot {
			p := Plot{Title: "How long does the caller wait, and when is all done, with so many links?", X: "links", Y: "ms"}
			for _, form := range chainForms() {
				wait, done := f.curve(string(form), Wait, string(form)), f.curve(string(form), Completion, string(form))
				wait.Name, done.Name, done.Dashed = wait.Name+", wait", done.Name+", completion", true
				p.Lines = append(p.Lines, wait, done)
			}
			return p
		},
		Alike:     func(c *lab.Config) { alike(c, "ack") },
		Sabotages: []Sabotage{{Name: "the chain answers early", Change: func(c *lab.Config) { carryAs(c, chained, "ack") }, Want: verdict.DoesNotHold}},
	}
}

// measureChains runs a lab for each length, and takes the slope of each order over the lengths.
func measureChains(ctx context.Context, l *Lab) (Figures, error) {
	type key struct {
		form    services.Form
		measure string
	}
	values := map[key][][]float64{} // by length, by order
	for _, n := range chainLengths() {
		flow, err := flows.Named(fmt.Sprintf("chain:%d", n))
		if err != nil {
			return nil, err
		}
		ran, err := l.Run(ctx, l.Config(flow, chainForms()...))
		if err != nil {
			return nil, err
		}
		for _, form := range chainForms() {
			for _, m := range []string{Wait, Completion} {
				list, err := ran.Measure(form, m)
				if err != nil {
					return nil, err
				}
				values[key{form, m}] = append(values[key{form, m}], list)
			}
		}
		if n == 8 {
			if err := l.Show(ran, chained); err != nil {
				return nil, err
			}
		}
	}
	var f Figures
	for _, form := range chainForms() {
		f.PerOrder(string(form), waitSlope, "ms", slopes(chainLengths(), values[key{form, Wait}]))
		f.PerOrder(string(form), completionSlope, "ms", slopes(chainLengths(), values[key{form, Completion}]))
		f.overMedians(string(form), Wait, "links", chainLengths(), values[key{form, Wait}])
		f.overMedians(string(form), Completion, "links", chainLengths(), values[key{form, Completion}])
	}
	return f, nil
}

// overMedians adds a curve of the medians of a figure by order.
func (f *Figures) overMedians(arm, measure, over string, x []int, values [][]float64) {
	var at, y []float64
	for i := range x {
		at, y = append(at, float64(x[i])), append(y, middle(Values(values[i]).known()))
	}
	f.Curve(arm, measure, "ms", over, at, y)
}

// slopes is, order by order, how much a figure grows with one more of x.
func slopes(x []int, values [][]float64) []float64 {
	at := make([]float64, len(x))
	for i, v := range x {
		at[i] = float64(v)
	}
	list := make([]float64, len(values[0]))
	for order := range list {
		y := make([]float64, len(x))
		for i := range x {
			y[i] = values[i][order]
		}
		slope, err := verdict.Slope(at, y)
		if err != nil { // a figure that is not known, or infinite
			slope = nan()
		}
		list[order] = slope
	}
	return list
}
