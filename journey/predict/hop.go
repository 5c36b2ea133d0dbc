package predict

import (
	"tracelab/journey"
	"tracelab/journey/semconv"
)

// Carrier is how a hop is made.
type Carrier string

// The carriers.
const (
	Call    Carrier = "call"
	Message Carrier = "message"
)

// Hop is a kind of hop of a set: all calls, or all messages, that lead to one operation of a service.
type Hop struct {
	Name      string  // of the step that it leads to: the first piece of the service's own work below the operation; else service and operation
	Service   string  // that does the step
	Operation string  // name of the span that receives the call or handles the message
	Carrier   Carrier // of most of its hops
	N         int     // hops of this kind
}

// maxClimb bounds how many holders are followed from a callee up to the span of the client that called it: attempts and
// middleware may lie between.
const maxClimb = 8

// findHops finds the callees among the activities of spans. To a callee without a client's or producer's span it adds a
// carrier, which changes no time.
func (p *plan) findHops(spans int, kind func(journey.Index) int32) {
	set := p.journey.Set()
	for at := range int32(spans) {
		a := &p.acts[at]
		if a.holder == none || !a.message && p.acts[a.holder].service == a.service {
			continue
		}
		if !a.message && !isEntry(set.Span(a.span).Kind) && a.anchor == atEnd {
			continue // background work that another service reports
		}
		carrier := p.carrierOf(a)
		if carrier == none {
			carrier = p.insertCarrier(at)
			a = &p.acts[at]
		}
		a.carrier, a.hop = carrier, kind(a.span)
		p.acts[carrier].callees = append(p.acts[carrier].callees, at)
	}
}

func isEntry(k journey.Kind) bool { return k == journey.KindServer || k == journey.KindConsumer }

// carrierOf returns the span of the client or producer that carries a hop, or none.
func (p *plan) carrierOf(a *activity) int32 {
	set := p.journey.Set()
	if a.message {
		switch span := p.acts[a.holder].span; {
		case set.Span(span).Kind == journey.KindProducer, set.Span(span).Kind == journey.KindClient,
			set.Operation(span) == semconv.OperationSend, set.Operation(span) == semconv.OperationCreate:
			return a.holder
		}
		return none
	}
	found := int32(none)
	for at, n := a.holder, 0; at != none && n < maxClimb; at, n = p.acts[at].holder, n+1 {
		up := &p.acts[at]
		if up.span == none || up.service != p.acts[a.holder].service {
			break
		}
		switch set.Span(up.span).Kind {
		case journey.KindClient, journey.KindProducer:
			found = at
		case journey.KindServer, journey.KindConsumer:
			return found
		case journey.KindUnspecified, journey.KindInternal: // the way goes on
		}
		if !up.waits {
			break
		}
	}
	return found
}

// insertCarrier puts an activity between a callee and its holder.
func (p *plan) insertCarrier(callee int32) int32 {
	a := &p.acts[callee]
	carrier := int32(len(p.acts))
	c := activity{
		span: none, service: p.acts[a.holder].service, holder: a.holder, waits: a.waits, anchor: a.anchor,
		start: a.start, end: a.end, hop: none, carrier: none,
	}
	if a.message {
		c.end, c.waits, c.anchor = a.start, false, atNeeds
	}
	a.holder, a.anchor = carrier, atStart
	p.acts = append(p.acts, c)
	return carrier
}

// kindOf is the service and the operation to which hops of one kind lead.
type kindOf struct{ service, operation string }

// survey has the kinds of hops of a set, and what they cost.
type survey struct {
	numbers map[kindOf]int32
	kinds   []kindOf
	count   [][2]int         // by kind: calls, messages
	steps   []map[string]int // by kind: how often a step was the first span below
	local   map[string]bool  // names of steps that no hop leads to
	costs   costs
}

// newSurvey makes a survey of the hops of journeys.
func newSurvey(journeys []*journey.Journey) *survey {
	s := &survey{numbers: make(map[kindOf]int32), local: make(map[string]bool)}
	for _, j := range journeys {
		p := newPlan(j, s.kind(j))
		weight, _ := j.Weight()
		for at := range p.acts {
			s.see(p, int32(at), weight)
		}
	}
	return s
}

// kind returns the function that numbers the kinds of a journey's hops.
func (s *survey) kind(j *journey.Journey) func(journey.Index) int32 {
	return func(i journey.Index) int32 {
		span := j.Set().Span(i)
		return s.number(kindOf{span.Service, span.Name})
	}
}

func (s *survey) number(k kindOf) int32 {
	n, ok := s.numbers[k]
	if !ok {
		n = int32(len(s.kinds))
		s.numbers[k] = n
		s.kinds, s.count, s.steps = append(s.kinds, k), append(s.count, [2]int{}), append(s.steps, make(map[string]int))
	}
	return n
}

// returned numbers the kind of a piece of work that comes back by a message.
func (s *survey) returned(service, work string) int32 {
	n := s.number(kindOf{service, work})
	s.steps[n][work]++
	return n
}

func (s *survey) see(p *plan, at int32, weight float64) {
	a, set := &p.acts[at], p.journey.Set()
	if a.hop == none {
		if a.span != none && set.Span(a.span).Kind == journey.KindInternal {
			s.local[set.Span(a.span).Name] = true
		}
		return
	}
	n := 0
	if a.message {
		n = 1
	}
	s.count[a.hop][n]++
	if step := p.step(at); step != "" {
		s.steps[a.hop][step]++
	}
	s.costs.add(p, at, weight)
}

// step returns the name of the first piece of work of its own service that an entry waits for, or "".
func (p *plan) step(entry int32) string {
	first := int32(none)
	for _, k := range p.acts[entry].kids {
		a := &p.acts[k]
		if !a.waits || a.span == none || a.service != p.acts[entry].service || p.journey.Set().Span(a.span).Kind != journey.KindInternal {
			continue
		}
		if first == none || p.before(k, first) < 0 {
			first = k
		}
	}
	if first == none {
		return ""
	}
	return p.journey.Set().Span(p.acts[first].span).Name
}

// name returns the name of a kind of hops: the step to which they lead most often.
func (s *survey) name(kind int32) string {
	best := ""
	for step, n := range s.steps[kind] {
		if most := s.steps[kind][best]; n > most || n == most && (best == "" || step < best) {
			best = step
		}
	}
	if best == "" {
		return s.kinds[kind].service + " " + s.kinds[kind].operation
	}
	return best
}

// hops lists the kinds by name.
func (s *survey) hops() []Hop {
	list := make([]Hop, len(s.kinds))
	for k := range s.kinds {
		n := s.count[k]
		list[k] = Hop{s.name(int32(k)), s.kinds[k].service, s.kinds[k].operation, Call, n[0] + n[1]}
		if n[1] > n[0] {
			list[k].Carrier = Message
		}
	}
	return list
}

// Hops lists the kinds of hops of journeys, in the order in which they first occur.
func Hops(journeys []*journey.Journey) []Hop { return newSurvey(journeys).hops() }
