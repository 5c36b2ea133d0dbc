package experiments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// Forms of the flow profile.
const (
	oneByOne services.Form = "one-by-one"
	together services.Form = "together"
	graphql  services.Form = "graphql"
	view     services.Form = "view"
)

// Measures of a view.
const (
	staleness = "update visible after"
	missed    = "reads that missed an update"
)

// aggregation: four services' answers on one page.
func aggregation() Claim {
	const delta = 1 // ms
	return Claim{
		Name:      "aggregation",
		Statement: "a gateway can aggregate calls",
		Rule:      "calls side by side take less than one after the other, and a view that messages keep up to date takes less than calls side by side, each by more than δ; how stale the view is stands beside it",
		Delta:     Amount{delta, "ms"}, Budget: 6 * time.Second, Size: Size{Orders: 60, Rate: 50, Seeds: 1}, Kind: Calm, Needs: Needs{},
		Signature: Signature{Words: "four calls that begin together below pages.Compose's service, where one-by-one has a staircase", Seen: func(j *journey.Journey) error {
			if _, most := j.Concurrency(); most < 4 {
				return fmt.Errorf("at most %d spans work at a time", most)
			}
			return nil
		}},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			flow, err := flows.Named("profile")
			if err != nil {
				return nil, err
			}
			var list []Prediction
			for _, form := range []services.Form{oneByOne, together} {
				wait, _, err := predictTimes(flow, form, size, k)
				if err != nil {
					return nil, err
				}
				list = append(list, Prediction{string(form), Wait, wait, true})
			}
			return list, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			flow, err := flows.Named("profile")
			if err != nil {
				return nil, err
			}
			ran, err := l.Run(ctx, l.Config(flow, oneByOne, together, graphql, view))
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, form := range ran.Config.Forms {
				waits, err := ran.Measure(form, Wait)
				if err != nil {
					return nil, err
				}
				f.PerOrder(string(form), Wait, "ms", waits)
			}
			if s := ran.Result.Forms[view].Staleness; s != nil && s.Visible.Median != nil {
				f = append(f, Figure{Arm: string(view), Measure: staleness, Unit: "ms", Per: PerRun, Values: Values{*s.Visible.Median}})
				f.Count(string(view), missed, s.Missed, max(1, s.Reads))
			}
			return f, l.Show(ran, together)
		},
		Decide: func(f Figures) (Decision, error) {
			side, err := f.Difference(Wait, string(oneByOne), string(together))
			read, err2 := f.Difference(Wait, string(together), string(view))
			query, err3 := f.Difference(Wait, string(together), string(graphql))
			return Decision{Parts: []verdict.Part{
				{Name: "together less one by one, ms", Estimate: side, Want: verdict.LessThan(-delta)},
				{Name: "view less together, ms", Estimate: read, Want: verdict.LessThan(-delta)},
			}, Beside: []verdict.Part{{Name: "graphql less together, ms", Estimate: query}}}, errors.Join(err, err2, err3)
		},
		Draw:  func(f Figures) Plot { return f.bars("How long does the page take?", Wait) },
		Alike: func(c *lab.Config) { alike(c, together) },
		Sabotages: []Sabotage{{Name: "calls that could be made together are not", Want: verdict.DoesNotHold, Change: func(c *lab.Config) {
			change(c, together, func(column *flows.Column) { column.OneByOne = true })
		}}},
	}
}
