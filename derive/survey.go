package derive

import (
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/services/flows"
)

// kind is an operation as all journeys have it: of one service, below one parent.
type kind struct {
	service, name string // as the traces have them; ids in the name are {id}
	step          string // the step of the lab that it is; "" for others
	via           via
	parents       []*kind // more than one where messages of several meet
	kids          []*kind // in the order in which they were first seen
	byKey         map[kindKey]*kind
	seen          []occurrence
	journeys      int              // that have it
	most          int              // in one journey
	carriers      map[carrier]int  // of the hops to it
	topics        map[string]int   // of the messages to it
	nobody        map[string]int   // messages that it sent and nobody is seen to receive
	client        bool             // its first span is a client's
	waited        int              // occurrences that waited for a reply by message
	last          *journey.Journey // in which it was seen
	inLast        int

	order         // what is found out of seen
	rows  []*step // the steps that are made of it
	base  []*step // what leads to it
	// joined is what leads to it where several do, as far as it is known.
	joined []*step
}

// kindKey tells the kinds below one parent apart.
type kindKey struct {
	service, name string
	via           via
}

// carrier is what took a hop, and what the traces call it.
type carrier struct {
	by   flows.Carrier
	said string // "" where the traces say nothing of it
}

// occurrence is one operation of a kind, in one journey.
type occurrence struct {
	journey int
	start   int64
	end     int64
	items   []item
	answers []span
}

// item is something that an occurrence led to.
type item struct {
	kind     *kind
	from, to int64
}

// survey has the kinds of operations of journeys.
type survey struct {
	root     *kind
	count    int // of kinds
	journeys int
	atLeast  int
	meeting  string           // the service in which messages of several operations meet; "" as long as it is not known
	joins    map[string]*kind // there, by name
	untied   int              // journeys with a message that came back and that nothing ties to what was sent
	weighted bool             // the journeys were sampled, and stand for others
}

// mostKinds is where a survey stops to tell operations apart: long after a flow has room for them.
const mostKinds = 100_000

// newSurvey reads journeys of one root.
func newSurvey(journeys []*journey.Journey, atLeast int) *survey {
	first := &survey{journeys: len(journeys), atLeast: atLeast, joins: map[string]*kind{}, weighted: journey.Weights(journeys) != nil}
	first.addAll(journeys)
	if first.root == nil || first.count > flows.MaxSteps {
		return first
	}
	s := &survey{journeys: len(journeys), atLeast: atLeast, meeting: first.entry().service, joins: map[string]*kind{}, weighted: first.weighted}
	s.addAll(journeys)
	return s
}

func (s *survey) addAll(journeys []*journey.Journey) {
	for n, j := range journeys {
		s.add(n, newOperations(j))
		if slices.ContainsFunc(j.Warnings(), func(w journey.Warning) bool { return w.Rule == journey.RuleOpenReply }) {
			s.untied++
		}
	}
}

// add adds a journey.
func (s *survey) add(n int, o *operations) {
	kinds := make([]*kind, len(o.list))
	for at := range o.list {
		op := &o.list[at]
		var parent *kind
		if op.parent != none {
			if parent = kinds[op.parent]; parent == nil {
				continue
			}
		}
		k := s.kindOf(o, op, parent)
		if k == nil {
			continue
		}
		kinds[at] = k
		k.note(o, op)
	}
	for at := range o.list {
		k, op := kinds[at], &o.list[at]
		if k == nil {
			continue
		}
		seen := occurrence{journey: n, start: op.start, end: op.end, answers: op.answers}
		for _, kid := range op.kids {
			if kinds[kid] != nil {
				seen.items = append(seen.items, item{kinds[kid], o.list[kid].from, o.list[kid].to})
			}
		}
		k.seen = append(k.seen, seen)
	}
}

// kindOf finds the kind of an operation, or makes it; nil when there are too many.
func (s *survey) kindOf(o *operations, op *operation, parent *kind) *kind {
	first := o.set.Span(o.spans[op.first])
	k := kind{service: first.ServiceName(), name: compare.NormalizeName(first.Name), via: op.via}
	if op.via == viaOwn {
		value, _ := first.Attr(stepAttribute)
		k.step = value.String()
		k.name = k.step
	}
	if parent == nil {
		if s.root == nil {
			s.root = s.newKind(k)
		}
		return s.root
	}
	key := kindKey{k.service, k.name, k.via}
	if kid := parent.byKey[key]; kid != nil {
		return kid
	}
	if s.count >= mostKinds {
		return nil
	}
	made := (*kind)(nil)
	if meets := k.via == viaMessage && k.service == s.meeting; meets {
		if made = s.joins[k.name]; made != nil && made.above(parent) {
			made, meets = nil, false // a circle: it is another one the second time
		}
		if meets && made == nil {
			made = s.newKind(k)
			s.joins[k.name] = made
		}
	}
	if made == nil {
		made = s.newKind(k)
	}
	made.parents = append(made.parents, parent)
	parent.kids, parent.byKey[key] = append(parent.kids, made), made
	return made
}

// entry is the first operation that is a step of the flow: what stands in front of it only passes the request on.
func (s *survey) entry() *kind {
	k := s.root
	for k.passesOn() {
		k = k.kids[0]
	}
	return k
}

// passesOn tells whether all that an operation does is one call: a client, or the lab's gateway.
func (k *kind) passesOn() bool {
	if len(k.kids) != 1 || k.kids[0].via != viaCall || k.most > 1 || k.kids[0].most > 1 || k.kids[0].journeys < k.journeys {
		return false
	}
	return k.via == viaRoot && k.client || k.service == flows.Gateway
}

// above tells whether a kind leads to another one, or is it.
func (k *kind) above(other *kind) bool {
	known := map[*kind]bool{}
	queue := []*kind{other}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if at == k {
			return true
		}
		for _, p := range at.parents {
			if !known[p] {
				known[p] = true
				queue = append(queue, p)
			}
		}
	}
	return false
}

func (s *survey) newKind(k kind) *kind {
	s.count++
	k.carriers, k.topics, k.nobody, k.byKey = map[carrier]int{}, map[string]int{}, map[string]int{}, map[kindKey]*kind{}
	return &k
}

// note counts an operation.
func (k *kind) note(o *operations, op *operation) {
	if k.last != o.journey {
		k.last, k.inLast = o.journey, 0
		k.journeys++
	}
	k.inLast++
	k.most = max(k.most, k.inLast)
	first := o.set.Span(o.spans[op.first])
	k.client = first.Kind == journey.KindClient
	if len(op.answers) > 0 {
		k.waited++
	}
	spans := []*journey.Span{first}
	if op.hop != none {
		spans = append(spans, o.set.Span(o.spans[op.hop]))
	}
	k.carriers[carrierOf(op.via, spans)]++
	if op.via == viaMessage {
		topic := o.set.Topic(o.spans[op.first])
		if topic == "" && op.hop != none {
			topic = o.set.Topic(o.spans[op.hop])
		}
		k.topics[topic]++
	}
	for _, at := range op.sent {
		topic := o.set.Topic(o.spans[at])
		if topic == "" {
			topic = o.set.Span(o.spans[at]).Name
		}
		k.nobody[topic]++
	}
}

// carrierOf reads from the spans of a hop what carried it.
func carrierOf(how via, spans []*journey.Span) carrier {
	for _, s := range spans {
		if how == viaMessage {
			if m, ok := s.Messaging(); ok && m.System != "" {
				switch by := flows.Carrier(m.System); by {
				case flows.KafkaLog, flows.RabbitMQ:
					return carrier{by, m.System}
				default:
					return carrier{flows.KafkaLog, m.System}
				}
			}
			continue
		}
		for _, a := range s.Attributes {
			switch {
			case strings.HasPrefix(a.Key, "rpc."):
				return carrier{flows.RPC, "grpc"}
			case strings.HasPrefix(a.Key, "http."), strings.HasPrefix(a.Key, "url."):
				return carrier{flows.HTTP, "http"}
			}
		}
	}
	if how == viaMessage {
		return carrier{by: flows.KafkaLog}
	}
	return carrier{by: flows.RPC}
}
