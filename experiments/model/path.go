package model

import (
	"fmt"
	"time"
)

// Constants are the costs that are measured, not drawn: once, on an idle lab.
type Constants struct {
	Hop   time.Duration // an empty call: from the caller's send until it has the answer
	Ack   time.Duration // a publish: from the send until the broker has acknowledged
	Queue time.Duration // from the acknowledgement until an idle consumer starts
	// Refetch is the time between two fetches of a consumer: a record that comes just after a fetch waits for the next one. With a broker nearby it is
	// part of Queue, so it is not measured.
	Refetch time.Duration `json:"-"`
}

// Farther returns the constants with a round trip added to every hop. A message takes it once: half on the way to the
// broker, half from the broker to the consumer. Its publisher takes it for the acknowledgement. A consumer takes it between two
// fetches: half for the answer to the first, half for the request of the second.
func (k Constants) Farther(roundTrip time.Duration) Constants {
	k.Hop += roundTrip
	k.Ack += roundTrip
	k.Refetch += roundTrip
	return k
}

// Reach is how a step is reached from the step before.
type Reach int

// The ways to reach a step.
const (
	Local   Reach = iota // in the same service, or from its mailbox in memory
	Call                 // by a call, which costs a Hop
	Message              // by a message, which costs an Ack and a Queue
)

// Step is a piece of work in a service.
type Step struct {
	Cost  time.Duration // its own work, as drawn for one order, or its mean
	Reach Reach
	Then  []Stage // what it waits for after its own work: the calls below it
	// Joins says that the step waits for messages of several steps that end at about the same time: one fetch gets the first message, the next
	// fetch the last one.
	Joins bool
}

// Stage is a set of parallel steps. It takes as long as the slowest one.
type Stage []Step

// Path is an order's way through the services: the stages until the caller has its answer, one after another, and those after it.
type Path struct {
	Answer []Stage
	Rest   []Stage
}

// Times are the two predicted times of an order.
type Times struct {
	Wait       time.Duration // until the caller has its answer
	Completion time.Duration // until the last step is done
}

// Predict adds up a path: all stages, the slowest step of each, and a constant for each hop. An early answer
// waits only for the acknowledgement of the message that starts the rest.
//
// Source: the critical path method (Kelley and Walker 1959). Limits: nothing queues, processors are free, nothing fails; the costs of
// parallel steps are those of one order, not their means (for those see ExpectedMax).
func (p Path) Predict(k Constants) (Times, error) {
	if err := k.check(); err != nil {
		return Times{}, err
	}
	answer, err := elapsed(p.Answer, k)
	if err != nil {
		return Times{}, fmt.Errorf("until the answer: %w", err)
	}
	rest, err := elapsed(p.Rest, k)
	if err != nil {
		return Times{}, fmt.Errorf("after the answer: %w", err)
	}
	t := Times{Wait: answer, Completion: answer + rest}
	if len(p.Rest) > 0 && p.Rest[0].has(Message) {
		t.Wait += k.Ack
	}
	return t, nil
}

// Count returns how many calls and messages an order makes. It counts a message that several steps read once for each of them.
func (p Path) Count() (calls, messages int) {
	for _, stages := range [][]Stage{p.Answer, p.Rest} {
		c, m := count(stages)
		calls, messages = calls+c, messages+m
	}
	return calls, messages
}

// ChainSlope returns what one more step of a chain adds: its cost and its hop to the completion, and the same to the wait when
// the answer comes after it. The wait of an early answer does not grow, by definition. Source and limits: as Path.Predict.
func ChainSlope(step Step, early bool, k Constants) (Times, error) {
	p := Path{Answer: []Stage{{step}}}
	if early {
		p = Path{Rest: []Stage{{step}}}
	}
	t, err := p.Predict(k)
	if early {
		t.Wait = 0 // the acknowledgement is the first step's alone, however long the chain is
	}
	return t, err
}

// DistanceSlope returns by how many round trips wait and completion grow when every hop takes one round trip more: the number of hops on the
// longest way, and the fetch that a join waits for. Source and limits: as Path.Predict. The distance is so large that it decides which way is the
// longest, and that the messages of a join arrive within a round trip of each other. Orders are so rare that no two share a fetch.
func (p Path) DistanceSlope() (wait, completion int, err error) {
	t, err := p.withoutCosts().Predict(Constants{}.Farther(1))
	return int(t.Wait), int(t.Completion), err
}

// withoutCosts returns a path whose steps cost nothing, so that only its hops count.
func (p Path) withoutCosts() Path {
	return Path{Answer: withoutCosts(p.Answer), Rest: withoutCosts(p.Rest)}
}

func withoutCosts(stages []Stage) []Stage {
	bare := make([]Stage, len(stages))
	for i, stage := range stages {
		for _, s := range stage {
			bare[i] = append(bare[i], Step{Reach: s.Reach, Joins: s.Joins, Then: withoutCosts(s.Then)})
		}
	}
	return bare
}

func elapsed(stages []Stage, k Constants) (time.Duration, error) {
	var total time.Duration
	for i, stage := range stages {
		if len(stage) == 0 {
			return 0, fmt.Errorf("stage %d has no step: leave it out", i+1)
		}
		var longest time.Duration
		for _, s := range stage {
			t, err := s.elapsed(k)
			if err != nil {
				return 0, fmt.Errorf("stage %d: %w", i+1, err)
			}
			longest = max(longest, t)
		}
		total += longest
	}
	return total, nil
}

func (s Step) elapsed(k Constants) (time.Duration, error) {
	if s.Cost < 0 {
		return 0, fmt.Errorf("a step's cost is %v: it must be at least 0", s.Cost)
	}
	below, err := elapsed(s.Then, k)
	if err != nil {
		return 0, err
	}
	switch s.Reach {
	case Local:
		return s.Cost + below, nil
	case Call:
		return k.Hop + s.Cost + below, nil
	case Message:
		way := k.Ack + k.Queue
		if s.Joins {
			way += k.Refetch
		}
		return way + s.Cost + below, nil
	default:
		return 0, fmt.Errorf("a step's reach is %d: use Local, Call or Message", s.Reach)
	}
}

func (s Stage) has(r Reach) bool {
	for _, step := range s {
		if step.Reach == r {
			return true
		}
	}
	return false
}

func count(stages []Stage) (calls, messages int) {
	for _, stage := range stages {
		for _, s := range stage {
			switch s.Reach {
			case Call:
				calls++
			case Message:
				messages++
			case Local:
			}
			c, m := count(s.Then)
			calls, messages = calls+c, messages+m
		}
	}
	return calls, messages
}

func (k Constants) check() error {
	for _, c := range []struct {
		name string
		d    time.Duration
	}{{"hop", k.Hop}, {"ack", k.Ack}, {"queue", k.Queue}} {
		if c.d < 0 {
			return fmt.Errorf("the constant %s is %v: it must be at least 0", c.name, c.d)
		}
	}
	return nil
}
