package predict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
)

// Times are how long a journey takes.
type Times struct {
	CallerWait time.Duration // 0 for a rootless journey
	Completion time.Duration
	Rooted     bool // it has a caller
}

// Tail is the work after the answer; it is 0 for a rootless journey.
func (t Times) Tail() time.Duration {
	if !t.Rooted {
		return 0
	}
	return t.Completion - t.CallerWait
}

// Journey is the prediction for one journey.
type Journey struct {
	Of        *journey.Journey
	Measured  Times
	Predicted Times
}

// Turned is a kind of hop that got another carrier.
type Turned struct {
	Hop  string  // its name
	From Carrier // "" for the caller's own work, which comes back by a message
	To   Carrier
	N    int // hops of this kind in all journeys
}

// Prediction says how long journeys would have taken with other carriers.
type Prediction struct {
	Journeys   []Journey
	Incomplete int      // journeys of which spans are missing, and that are in no figure
	Turned     []Turned // by name
	Constants  Constants
	Measured   Summary
	Predicted  Summary
	Changes    []compare.Difference // predicted − measured, journey by journey: caller wait, completion, tail; by root
	Warnings   []string

	// Roots are the figures for each root, most journeys first; nil where all journeys have one.
	Roots []RootPrediction
}

// RootPrediction is what is predicted of the journeys of one root.
type RootPrediction struct {
	Root      compare.Root
	Journeys  int
	Measured  Summary
	Predicted Summary
}

// Summary describes the times of journeys. The 95th and 99th percentiles of predicted times are not known: constants are medians.
type Summary struct {
	CallerWait *compare.Summary // nil when no journey has a root
	Completion *compare.Summary
	Tail       *compare.Summary // nil when no journey has a root
}

// Predict predicts the times of journeys. Journeys that miss spans are left out. It takes O(n log n) time for n spans.
func Predict(journeys []*journey.Journey, opts ...Option) (Prediction, error) {
	o := newOptions(opts)
	whole := o.whole(journeys)
	p := Prediction{Incomplete: len(journeys) - len(whole)}
	if len(whole) == 0 && len(journeys) > 0 {
		reason, _ := journeys[0].Incomplete()
		return p, &IncompleteError{len(journeys), reason}
	}
	known := newSurvey(whole)
	plan, err := o.targets(known)
	if err != nil {
		return p, err
	}
	sources := o.sources(known)
	p.Constants = Constants{
		Publish:  constant(o.publish, sources, func(c *costs) *cost { return &c.publish }),
		Delivery: constant(o.delivery, sources, func(c *costs) *cost { return &c.delivery }),
		Call:     constant(o.call, sources, func(c *costs) *cost { return &c.call }),
	}
	run := runner{Prediction: &p, survey: known, wanted: plan, count: make(map[turnedKey]int)}
	for _, j := range whole {
		run.predict(j)
	}
	return p, run.finish(o)
}

// runner predicts one journey after another.
type runner struct {
	*Prediction
	survey   *survey
	wanted   []Carrier
	count    map[turnedKey]int
	used     usedConstants
	retries  int
	circular int
}

type turnedKey struct {
	hop      int32
	to       Carrier
	returned bool
}

func (r *runner) predict(j *journey.Journey) {
	p := newPlan(j, r.survey.kind(j))
	t := turner{
		plan: p, costs: r.Constants, used: &r.used, waiting: make(map[int32]int),
		wanted: func(hop int32) Carrier {
			if int(hop) >= len(r.wanted) {
				return ""
			}
			return r.wanted[hop]
		},
		returned: r.survey.returned,
		turned: func(hop int32, to Carrier) {
			r.count[turnedKey{hop, to, int(hop) >= len(r.wanted)}]++
		},
	}
	t.run()
	x := p.replay()
	r.retries += p.retries
	if p.circular {
		r.circular++
	}
	wait, rooted := j.CallerWait()
	predicted := Times{Completion: time.Duration(x.completion()), Rooted: rooted}
	if ns, ok := x.callerWait(p); ok {
		predicted.CallerWait = time.Duration(ns)
	}
	r.Journeys = append(r.Journeys, Journey{j, Times{wait, j.Completion(), rooted}, predicted})
}

func (r *runner) finish(o *options) error {
	for key, n := range r.count {
		t := Turned{Hop: r.survey.name(key.hop), To: key.to, N: n}
		switch {
		case key.returned:
		case key.to == Message:
			t.From = Call
		default:
			t.From = Message
		}
		r.Turned = append(r.Turned, t)
	}
	slices.SortFunc(r.Turned, func(a, b Turned) int {
		return cmp.Or(cmp.Compare(a.Hop, b.Hop), cmp.Compare(a.From, b.From), cmp.Compare(a.N, b.N))
	})
	r.Turned = merge(r.Turned)
	if len(r.Turned) == 0 {
		return ErrNothingTurned
	}
	c := &r.Constants
	c.Publish.Used, c.Delivery.Used, c.Call.Used = r.used.publish, r.used.delivery, r.used.call
	switch {
	case c.Publish.Used && c.Publish.Source == "", c.Delivery.Used && c.Delivery.Source == "":
		return &MissingConstantError{true, o.own}
	case c.Call.Used && c.Call.Source == "":
		return &MissingConstantError{false, o.own}
	}
	r.summarize()
	r.warn(o)
	return nil
}

// merge adds up kinds with the same name and carriers.
func merge(list []Turned) []Turned {
	var merged []Turned
	for _, t := range list {
		if n := len(merged); n > 0 && merged[n-1].Hop == t.Hop && merged[n-1].From == t.From && merged[n-1].To == t.To {
			merged[n-1].N += t.N
			continue
		}
		merged = append(merged, t)
	}
	return merged
}

// What a prediction never knows.
const (
	inferredText = "what needs what is inferred from the order in time: work that began after other work had ended is taken to need it"
	unknownText  = "load, retries and contention are not predicted: queues that stay are as long as they were"
	medianText   = "the constants are medians, so medians are predicted, not percentiles"
)

func (r *runner) warn(o *options) {
	r.Warnings = append(r.Warnings, inferredText, unknownText, medianText)
	if len(o.unlike) > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s has nothing like %s: they keep their carriers", o.like.name, strings.Join(slices.Compact(slices.Sorted(slices.Values(o.unlike))), ", ")))
	}
	if r.retries > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d calls of one client's span were left out where a later one took their place: attempts are not predicted", r.retries))
	}
	if r.circular > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("in %d journeys a handling would have to wait for itself: there it does not wait for all of its messages", r.circular))
	}
	if r.Incomplete > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d of %d journeys are incomplete, and in no figure", r.Incomplete, r.Incomplete+len(r.Journeys)))
	}
	if reason := r.noInterval(); reason != "" {
		r.Warnings = append(r.Warnings, "there are no intervals, and nothing is said of what differs: "+reason)
	}
}
