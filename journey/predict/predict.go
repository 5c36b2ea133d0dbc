package predict

import (
	"cmp"
	"fmt"
	"maps"
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

// Journey is what is predicted of one journey.
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

// Prediction is what journeys would have taken.
type Prediction struct {
	Journeys   []Journey
	Incomplete int      // journeys that miss spans, and are in no figure
	Turned     []Turned // by name
	Constants  Constants
	Measured   Summary
	Predicted  Summary
	Changes    []compare.Difference // predicted − measured, journey by journey: caller wait, completion, tail
	Warnings   []string
}

// Summary describes the times of journeys. The 95th and 99th percentiles of predicted times are not known: constants are medians.
type Summary struct {
	CallerWait *compare.Summary // nil when no journey has a root
	Completion *compare.Summary
	Tail       *compare.Summary // nil when no journey has a root
}

// Option says what is turned, and what it costs.
type Option func(*options)

type options struct {
	to         map[string]Carrier
	both       string // a name that is to be a call and a message
	like       *set
	likeSurvey *survey
	unlike     []string // hops that the journeys of like have nothing of
	from       *set
	own        string
	publish    *time.Duration
	delivery   *time.Duration
	call       *time.Duration
}

type set struct {
	name     string
	journeys []*journey.Journey
}

// ToMessage lets messages take the hops of these names. See Hop.Name; the names of services' operations stand for their hops, too.
func ToMessage(hops ...string) Option { return to(Message, hops) }

// ToCall lets calls take the hops of these names.
func ToCall(hops ...string) Option { return to(Call, hops) }

func to(c Carrier, hops []string) Option {
	return func(o *options) {
		for _, h := range hops {
			if was, ok := o.to[h]; ok && was != c {
				o.both = h
			}
			o.to[h] = c
		}
	}
}

// Like gives every hop the carrier that it has in other journeys. A step that no hop leads to there is called.
func Like(name string, journeys []*journey.Journey) Option {
	return func(o *options) { o.like = &set{name, journeys} }
}

// From measures the constants on other journeys, as far as those have such hops.
func From(name string, journeys []*journey.Journey) Option {
	return func(o *options) { o.from = &set{name, journeys} }
}

// Named names the journeys themselves, as the source of what is measured on them.
func Named(name string) Option { return func(o *options) { o.own = name } }

// WithPublish gives the time that a publish holds its sender.
func WithPublish(d time.Duration) Option { return func(o *options) { o.publish = &d } }

// WithDelivery gives the time from the start of a publish to the start of the handling.
func WithDelivery(d time.Duration) Option { return func(o *options) { o.delivery = &d } }

// WithCall gives the time that request and response take together.
func WithCall(d time.Duration) Option { return func(o *options) { o.call = &d } }

// UnknownHopError is a name that no hop has.
type UnknownHopError struct {
	Name  string
	Known []string // the names of the hops that there are
}

// Error says which names there are.
func (e *UnknownHopError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("%q is no hop: the journeys have no calls to other services and no messages", e.Name)
	}
	return fmt.Sprintf("%q is no hop: there are %s", e.Name, strings.Join(e.Known, ", "))
}

// CarrierError is a hop that cannot be turned as it is asked for.
type CarrierError struct {
	Name string
	Why  string
}

// Error names the hop.
func (e *CarrierError) Error() string { return e.Name + " " + e.Why }

// ErrNothingTurned says that no hop was named.
var ErrNothingTurned = fmt.Errorf("no hop is to get another carrier")

// MissingConstantError is a constant that the turned hops need, and that nothing tells.
type MissingConstantError struct {
	Message bool // publish and delivery are not known; else the overhead of a call
	Name    string
}

// Error says what is missing, and where it could come from.
func (e *MissingConstantError) Error() string {
	if e.Message {
		return e.Name + " has no messages to measure publish and delivery on: take them from a set that has some, or give both"
	}
	return e.Name + " has no calls to measure a call's overhead on: take it from a set that has some, or give it"
}

// Predict predicts the times of journeys. Journeys that miss spans are left out. It takes O(n log n) time for n spans.
func Predict(journeys []*journey.Journey, opts ...Option) (Prediction, error) {
	o := options{to: make(map[string]Carrier), own: "these journeys"}
	for _, option := range opts {
		if option != nil {
			option(&o)
		}
	}
	whole := slices.DeleteFunc(slices.Clone(journeys), incomplete)
	if len(whole) == 0 && len(journeys) > 0 { // all of a set that looks torn: what there is
		whole = journeys
	}
	p := Prediction{Incomplete: len(journeys) - len(whole)}
	known := newSurvey(whole)
	plan, err := o.targets(known)
	if err != nil {
		return p, err
	}
	sources := o.sources(known)
	p.Constants = Constants{
		Publish:  constant(o.publish, sources, func(c *costs) []int64 { return c.publish }),
		Delivery: constant(o.delivery, sources, func(c *costs) []int64 { return c.delivery }),
		Call:     constant(o.call, sources, func(c *costs) []int64 { return c.call }),
	}
	run := runner{Prediction: &p, survey: known, wanted: plan, count: make(map[turnedKey]int)}
	for _, j := range whole {
		run.predict(j)
	}
	return p, run.finish(&o)
}

// sources are the sets that tell constants, the first that has such hops first.
func (o *options) sources(known *survey) []costSource {
	var list []costSource
	if o.from != nil {
		list = append(list, costSource{"measured on " + o.from.name, &newSurvey(o.from.journeys).costs})
	}
	list = append(list, costSource{"measured on " + o.own, &known.costs})
	if o.like != nil {
		list = append(list, costSource{"measured on " + o.like.name, &o.likeSurvey.costs})
	}
	return list
}

// targets says for each kind of hop what it becomes, "" for no change.
func (o *options) targets(known *survey) ([]Carrier, error) {
	if o.both != "" {
		return nil, &CarrierError{o.both, "is to be both a call and a message: name it once"}
	}
	list := make([]Carrier, len(known.kinds))
	hops := known.hops()
	if o.like != nil {
		like := newSurvey(o.like.journeys)
		o.likeSurvey = like
		carriers := make(map[string]Carrier)
		for _, h := range like.hops() {
			carriers[h.Name] = h.Carrier
		}
		for k, h := range hops {
			if c, ok := carriers[h.Name]; ok {
				list[k] = c
			} else if like.local[h.Name] {
				list[k] = Call
			} else {
				o.unlike = append(o.unlike, h.Name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.to)) {
		found, changes := false, false
		for k, h := range hops {
			if h.answers(name) {
				list[k], found = o.to[name], true
				changes = changes || known.changes(int32(k), o.to[name])
			}
		}
		if !found {
			return nil, &UnknownHopError{name, names(hops)}
		}
		if !changes {
			return nil, &CarrierError{name, fmt.Sprintf("goes by %s already", o.to[name])}
		}
	}
	if !slices.ContainsFunc(list, func(c Carrier) bool { return c != "" }) {
		return nil, ErrNothingTurned
	}
	return list, nil
}

// answers reports whether a name stands for the hop.
func (h Hop) answers(name string) bool {
	return name == h.Name || name == h.Operation || name == h.Service+" "+h.Operation
}

// changes reports whether some hops of a kind would get another carrier.
func (s *survey) changes(kind int32, to Carrier) bool {
	n := s.count[kind]
	if to == Message {
		return n[0] > 0
	}
	return n[1] > 0
}

func names(hops []Hop) []string {
	list := make([]string, len(hops))
	for i, h := range hops {
		list[i] = h.Name
	}
	slices.Sort(list)
	return slices.Compact(list)
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

// merge adds up kinds of one name.
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
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d journeys miss spans, and are in no figure", r.Incomplete))
	}
	kinds := make(map[kindOf]bool)
	for _, j := range r.Journeys {
		if root, ok := j.Of.Root(); ok {
			span := j.Of.Set().Span(root)
			kinds[kindOf{span.Service, span.Name}] = true
		}
	}
	if len(kinds) > 1 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("journeys of %d different roots are taken together: their medians depend on the mix", len(kinds)))
	}
}

// summarize describes what was measured and what is predicted.
func (r *runner) summarize() {
	measured, predicted := columns(r.Journeys, func(j Journey) Times { return j.Measured }), columns(r.Journeys, func(j Journey) Times { return j.Predicted })
	r.Measured, r.Predicted = measured.summary(), predicted.summary()
	for _, s := range []*compare.Summary{r.Predicted.CallerWait, r.Predicted.Completion, r.Predicted.Tail} {
		if s != nil {
			s.P95, s.P99 = nil, nil
		}
	}
	for n, name := range measureNames {
		if len(measured[n]) > 0 {
			d := compare.Paired(measured[n], predicted[n])
			d.Base, d.Other, d.Measure = "measured", "predicted", name
			r.Changes = append(r.Changes, d)
		}
	}
}

// measureNames are the measures that are predicted, in the order of values.
var measureNames = [...]string{compare.CallerWait, compare.Completion, compare.Tail}

// values are milliseconds by measure. Only journeys with a root have the first and the last.
type values [len(measureNames)][]float64

func columns(list []Journey, of func(Journey) Times) values {
	var v values
	for _, j := range list {
		v.add(of(j))
	}
	return v
}

func (v *values) add(t Times) {
	v[1] = append(v[1], milliseconds(t.Completion))
	if t.Rooted {
		v[0], v[2] = append(v[0], milliseconds(t.CallerWait)), append(v[2], milliseconds(t.Tail()))
	}
}

func (v *values) summary() Summary {
	of := func(list []float64) *compare.Summary {
		if len(list) == 0 {
			return nil
		}
		return new(compare.Summarize(list))
	}
	return Summary{of(v[0]), of(v[1]), of(v[2])}
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func incomplete(j *journey.Journey) bool { _, ok := j.Incomplete(); return ok }
