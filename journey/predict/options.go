package predict

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tracelab/journey"
)

// Option says which hops get another carrier, and what they cost.
type Option func(*options)

type options struct {
	to         map[string]Carrier
	both       string // a name that was given as a call and as a message
	like       *set
	likeSurvey *survey
	unlike     []string // hops that the journeys of like do not have
	from       *set
	own        string
	publish    *time.Duration
	delivery   *time.Duration
	call       *time.Duration
	incomplete bool // take incomplete journeys, too
}

type set struct {
	name     string
	journeys []*journey.Journey
}

// ToMessage turns the hops of these names into messages. A name is a Hop's Name, its Operation, or its Service and Operation.
func ToMessage(hops ...string) Option { return to(Message, hops) }

// ToCall turns the hops of these names into calls. A name is a Hop's Name, its Operation, or its Service and Operation.
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

// Like gives every hop the carrier that it has in other journeys. A step to which no hop leads there is called.
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

// WithIncomplete takes incomplete journeys, too: those of which spans are known to be missing.
func WithIncomplete() Option { return func(o *options) { o.incomplete = true } }

// whole returns the journeys that are taken.
func (o *options) whole(journeys []*journey.Journey) []*journey.Journey {
	if o.incomplete {
		return journeys
	}
	return slices.DeleteFunc(slices.Clone(journeys), func(j *journey.Journey) bool { _, ok := j.Incomplete(); return ok })
}

func newOptions(list []Option) *options {
	o := &options{to: make(map[string]Carrier), own: "these journeys"}
	for _, option := range list {
		if option != nil {
			option(o)
		}
	}
	return o
}

// sources lists the sets on which to measure constants, in order of preference.
func (o *options) sources(known *survey) []costSource {
	var list []costSource
	if o.from != nil {
		list = append(list, costSource{"measured on " + o.from.name, &newSurvey(o.whole(o.from.journeys)).costs})
	}
	list = append(list, costSource{"measured on " + o.own, &known.costs})
	if o.like != nil {
		list = append(list, costSource{"measured on " + o.like.name, &o.likeSurvey.costs})
	}
	return list
}

// targets returns for each kind of hop its new carrier, "" for no change.
func (o *options) targets(known *survey) ([]Carrier, error) {
	if o.both != "" {
		return nil, &CarrierError{o.both, "is to be both a call and a message: name it once"}
	}
	list := make([]Carrier, len(known.kinds))
	hops := known.hops()
	if o.like != nil {
		like := newSurvey(o.whole(o.like.journeys))
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
