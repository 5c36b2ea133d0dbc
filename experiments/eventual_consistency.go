package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"tracelab/experiments/model"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// readTimes are the times after the answer at which an order is read.
func readTimes() []time.Duration {
	return []time.Duration{0, 20 * time.Millisecond, 40 * time.Millisecond, 50 * time.Millisecond, 70 * time.Millisecond, 150 * time.Millisecond}
}

// Measures of staleness.
const (
	staleFirst = "stale right after the answer"
	staleLast  = "stale at the last read"
	staleCurve = "stale share, by reads"
	tailCurve  = "share of longer tails, by traces"
	apartCurve = "reads less traces"
)

// eventualConsistency: what a reader sees after an early answer, by two instruments.
func eventualConsistency() Claim {
	const delta = 0.05 // share
	return Claim{
		Name:      "eventual-consistency",
		Statement: "async is eventually consistent",
		Rule:      "of kafka's orders that are read right after the answer at least 95 % are not completed, and at most δ after 150 ms; of grpc's at most δ at any time; and the stale share by reads is, within δ, the share of longer tails by traces, P(tail > t)",
		Delta:     Amount{delta, "share"}, Budget: 11 * time.Second, Size: Size{Orders: 200, Rate: 40, Seeds: 1}, Kind: Calm, Needs: Needs{Elsewhere: true},
		Signature: Signature{Words: "the tail: what is left of kafka's journey when the caller's span has ended", Seen: endsAfterAnswer},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			var tails []time.Duration
			for number := range size.Orders {
				path, err := Path(flows.Order(), services.Kafka, size.Seed, number, k)
				if err != nil {
					return nil, err
				}
				t, err := path.Predict(k.Constants)
				if err != nil {
					return nil, err
				}
				tails = append(tails, t.Completion-t.Wait)
			}
			first, err := model.StaleShare(tails, 0)
			last, err2 := model.StaleShare(tails, readTimes()[len(readTimes())-1])
			return []Prediction{{Arm: "kafka", Measure: staleFirst, Value: first}, {Arm: "kafka", Measure: staleLast, Value: last}, {Arm: "grpc", Measure: staleFirst}}, errors.Join(err, err2)
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			config := l.Config(flows.Order(), services.GRPC, services.Kafka)
			config.ReadAfter = readTimes()
			ran, err := l.Run(ctx, config)
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, form := range config.Forms {
				if err := f.stale(ran, form); err != nil {
					return nil, err
				}
			}
			return f, l.Show(ran, services.Kafka)
		},
		Decide: func(f Figures) (Decision, error) {
			var parts []verdict.Part
			var errs []error
			for _, p := range []struct {
				form, measure string
				want          verdict.Region
			}{{"kafka", staleFirst, verdict.AtLeast(0.95)}, {"kafka", staleLast, verdict.AtMost(delta)}, {"grpc", staleFirst, verdict.AtMost(delta)}} {
				hits, of, err := f.Share(p.form, p.measure)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				share, err := verdict.Share(hits, of)
				errs, parts = append(errs, err), append(parts, verdict.Part{Name: p.form + ", " + p.measure, Estimate: share, Want: p.want})
			}
			apart, err := f.Values("kafka", apartCurve)
			if err != nil {
				return Decision{}, errors.Join(append(errs, err)...)
			}
			both, err := apartOf(Values(apart).known())
			parts = append(parts, verdict.Part{Name: "reads less traces, share", Estimate: both, Want: verdict.Within(0, delta)})
			return Decision{Parts: parts}, errors.Join(append(errs, err)...)
		},
		Draw: func(f Figures) Plot {
			reads, tails, grpc := f.curve("kafka", staleCurve, "kafka"), f.curve("kafka", tailCurve, "reply"), f.curve("grpc", staleCurve, "grpc")
			reads.Name, tails.Name, grpc.Name, tails.Dashed = "kafka, by reads", "kafka, P(tail > t) by traces", "grpc, by reads", true
			return Plot{Title: "Which share of orders is not completed, so long after the answer?", X: "time after the answer, ms", Y: "share", Lines: []Line{reads, tails, grpc}}
		},
		Alike: func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "kafka answers when all is done", Want: verdict.DoesNotHold, Change: func(c *lab.Config) {
			change(c, services.Kafka, func(column *flows.Column) { column.Waits = true })
		}}},
	}
}

// fewestApart orders whose reads and traces differ make a spread that resamples show.
const fewestApart = 10

// apartOf estimates how far reads and traces are apart. Where few orders differ at all, resamples without them have no spread; then the share of
// orders that differ stands for it, with its exact bounds: two curves are apart by no more than that.
func apartOf(values []float64) (verdict.Estimate, error) {
	differ := 0
	for _, v := range values {
		if v != 0 {
			differ++
		}
	}
	if differ >= fewestApart {
		return verdict.Bootstrap(values, 1)
	}
	return verdict.Share(differ, len(values))
}

// stale adds what reads saw of a form's orders, and what their traces say of the same moments.
func (f *Figures) stale(ran *Ran, form services.Form) error {
	tails, err := ran.Each(form, func(j *journey.Journey) (float64, bool) {
		tail, ok := j.Tail()
		return milliseconds(tail), ok
	})
	if err != nil {
		return err
	}
	times := readTimes()
	stale, longer, of := make([]int, len(times)), make([]int, len(times)), make([]int, len(times))
	apart := make([]float64, len(tails))
	for i, o := range ran.Orders(form) {
		apart[i] = nan()
		if len(o.Reads) != len(times) || math.IsNaN(tails[i]) || math.IsInf(tails[i], 0) {
			continue
		}
		moments := 0 // at which the reads say that it is not completed, less those at which its trace does
		for t, read := range o.Reads {
			of[t]++
			if !read.Done {
				stale[t]++
				moments++
			}
			if tails[i] > float64(read.After)/1e6 {
				longer[t]++
				moments--
			}
		}
		apart[i] = float64(moments) / float64(len(times))
	}
	if of[0] == 0 {
		return fmt.Errorf("%s: no order was read at all times", form)
	}
	var at, read, traced []float64
	for t, after := range times {
		at, read, traced = append(at, milliseconds(after)), append(read, float64(stale[t])/float64(of[t])), append(traced, float64(longer[t])/float64(of[t]))
	}
	last := len(times) - 1
	f.Count(string(form), staleFirst, stale[0], of[0])
	f.Count(string(form), staleLast, stale[last], of[last])
	f.PerOrder(string(form), apartCurve, "share", apart)
	f.Curve(string(form), staleCurve, "share", "time after the answer, ms", at, read)
	f.Curve(string(form), tailCurve, "share", "time after the answer, ms", at, traced)
	return nil
}
