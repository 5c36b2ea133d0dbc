package experiments

import (
	"context"
	"errors"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// Measures of how an order is followed.
const (
	inCallerTrace = "spans found in the caller's trace"
	afterLinks    = "spans found when links are followed"
	tracesToOpen  = "traces to open"
)

// Arms of following.
const (
	byLinks  = "kafka, links alone"
	byBoth   = "kafka, parents and links"
	byParent = "kafka, parents alone"
	byKotel  = "kafka, kotel as shipped"
	isCut    = "kafka, context dropped at payment"
	byCalls  = "grpc"
)

// hardToFollow: how much of an order is found from the caller's trace id.
func hardToFollow() Claim {
	const delta = 0.1 // share
	return Claim{
		Name:      "hard-to-follow",
		Statement: "async flows are harder to track",
		Rule:      "with links alone, as the conventions allow, the caller's trace has a smaller share of an order's spans than in grpc, by more than δ; the other relations and a dropped context stand beside it, before and after links are followed",
		Delta:     Amount{delta, "share"}, Budget: 14 * time.Second, Size: Size{Orders: 30, Rate: 30, Seeds: 1}, Kind: Calm, Needs: Needs{},
		Signature: Signature{Words: "an order in several traces, tied by links: Jaeger shows one of them at a time", Seen: func(j *journey.Journey) error {
			if len(j.Traces()) < 2 {
				return errors.New("it is one trace")
			}
			return nil
		}},
		Predict: func(Size, Constants) ([]Prediction, error) {
			return []Prediction{
				{Arm: byCalls, Measure: inCallerTrace, Value: 1}, {Arm: byBoth, Measure: inCallerTrace, Value: 1}, {Arm: byLinks, Measure: afterLinks, Value: 1},
				{Arm: byCalls, Measure: tracesToOpen, Value: 1}, {Arm: byBoth, Measure: tracesToOpen, Value: 1},
			}, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			var arms []Arm
			for _, arm := range []struct {
				name     string
				relation services.Relation
				kotel    bool
				faults   []string
				calls    bool
			}{
				{byLinks, services.RelationLink, false, nil, true}, {byBoth, services.RelationBoth, false, nil, false}, {byParent, services.RelationParent, false, nil, false},
				{byKotel, services.RelationBoth, true, nil, false}, {isCut, services.RelationBoth, false, []string{"payment:drop-context"}, false},
			} {
				config := l.Config(flows.Order(), services.Kafka)
				if arm.calls {
					config.Forms = append(config.Forms, services.GRPC)
				}
				config.Relation, config.Kotel = arm.relation, arm.kotel
				var err error
				if config.Faults, err = parseFaults(config.Flow, arm.faults...); err != nil {
					return nil, err
				}
				arms = append(arms, Arm{Name: arm.name, Config: config})
			}
			runs, err := l.Repeat(ctx, atATime, arms...) // side by side: how spans are tied depends on no time
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, arm := range arms {
				if err := followed(&f, runs[arm.Name][0], services.Kafka, arm.Name); err != nil {
					return nil, err
				}
			}
			links := runs[byLinks][0]
			return f, errors.Join(followed(&f, links, services.GRPC, byCalls), l.Show(links, services.Kafka))
		},
		Decide: func(f Figures) (Decision, error) {
			links, err := f.Difference(inCallerTrace, byCalls, byLinks)
			both, err2 := f.Difference(inCallerTrace, byCalls, byBoth)
			stitched, err3 := f.Difference(afterLinks, byCalls, byLinks)
			return Decision{
				Parts: []verdict.Part{{Name: "links alone less grpc, share", Estimate: links, Want: verdict.LessThan(-delta)}},
				Beside: []verdict.Part{
					{Name: "parents and links less grpc, share", Estimate: both}, {Name: "links alone, followed, less grpc, share", Estimate: stitched},
				},
			}, errors.Join(err, err2, err3)
		},
		Draw: func(f Figures) Plot {
			return f.bars("Which share of an order's spans is in the caller's trace?", inCallerTrace)
		},
		Alike:     func(c *lab.Config) { c.Faults, c.Kotel = nil, false; alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "links alone also have parents", Change: func(c *lab.Config) { c.Relation = services.RelationBoth }, Want: verdict.DoesNotHold}},
	}
}

// followed adds how much of each order is found from its caller's trace.
func followed(f *Figures, ran *Ran, form services.Form, arm string) error {
	found, err := ran.following(form)
	if err != nil {
		return err
	}
	var caller, stitched, traces []float64
	for _, o := range found {
		if o.spans == 0 {
			caller, stitched, traces = append(caller, nan()), append(stitched, nan()), append(traces, nan())
			continue
		}
		caller = append(caller, float64(o.caller)/float64(o.spans))
		stitched = append(stitched, float64(o.stitched)/float64(o.spans))
		traces = append(traces, float64(len(o.traces)))
	}
	f.PerOrder(arm, inCallerTrace, "share", caller)
	f.PerOrder(arm, afterLinks, "share", stitched)
	f.PerOrder(arm, tracesToOpen, "traces", traces)
	return nil
}

// follow is what there is of an order, and how it is found.
type follow struct {
	spans, caller, stitched int
	traces                  map[journey.TraceID]bool
}

// following counts, for each order of a form, all of its spans, those in the caller's trace, and those of the caller's journey.
func (r *Ran) following(form services.Form) ([]follow, error) {
	all, err := r.everyJourney(form)
	if err != nil {
		return nil, err
	}
	found := make([]follow, len(r.orders[form]))
	for number, list := range all {
		o := &found[number]
		o.traces = map[journey.TraceID]bool{}
		for _, j := range list {
			root, rooted := j.Root()
			own := rooted && j.Set().Span(root).Service == clientService
			for _, i := range j.Spans() {
				span := j.Set().Span(i)
				o.spans++
				o.traces[span.Trace] = true
				if own {
					o.stitched++
				}
				if own && span.Trace == j.Set().Span(root).Trace {
					o.caller++
				}
			}
		}
	}
	return found, nil
}
