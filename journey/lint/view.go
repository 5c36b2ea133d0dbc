package lint

import (
	"tracelab/journey"
	"tracelab/journey/semconv"
)

const none journey.Index = -1

// view has what several rules need to know about a set, computed once, in O(n) for n spans and links.
type view struct {
	set      *journey.Set
	messages []*message      // by span, nil for those that are not messaging spans
	links    []journey.Index // the targets of all links: those of span i are links[linksAt[i]:linksAt[i+1]]
	linksAt  []int32
	creation []bool  // by span: it is the creation context of messages
	passedOn []bool  // by span: another consuming span of its service refers to it, and to the origin of what it handles
	firstUse []int64 // by span: when the first span that consumes its message started, 0 when none does
}

func newView(set *journey.Set) *view {
	n := set.Len()
	v := &view{
		set: set, messages: make([]*message, n), linksAt: make([]int32, n+1),
		creation: make([]bool, n), passedOn: make([]bool, n), firstUse: make([]int64, n),
	}
	for i := range v.messages {
		span := set.Span(journey.Index(i))
		v.messages[i] = messageOf(span)
		for l := range span.Links {
			target, ok := set.Find(span.Links[l].Ref)
			if !ok {
				target = none
			}
			v.links = append(v.links, target)
		}
		v.linksAt[i+1] = int32(len(v.links))
	}
	v.findCreations()
	v.findUses()
	v.findOrigins()
	v.findPassedOn()
	return v
}

// findPassedOn fills in passedOn: roots of polls and of receiving, which need no link themselves.
func (v *view) findPassedOn() {
	for k, m := range v.messages {
		if m == nil || !m.consumes() {
			continue
		}
		i := journey.Index(k)
		origins := m.origins.links
		pass := func(t journey.Index) {
			if t != none && v.set.ConsumerSide(t) && v.set.Span(t).Service == v.set.Span(i).Service && origins > 0 {
				v.passedOn[t] = true
			}
		}
		pass(v.parent(i))
		for _, t := range v.targets(i) {
			pass(t)
		}
	}
}

// targets returns the spans that the links of span i name, none for those that are not in the set.
func (v *view) targets(i journey.Index) []journey.Index { return v.links[v.linksAt[i]:v.linksAt[i+1]] }

// parent returns the parent of span i, or none.
func (v *view) parent(i journey.Index) journey.Index {
	if p, ok := v.set.Parent(i); ok {
		return p
	}
	return none
}

// findCreations marks the creation contexts: create and send spans, and what send spans of kind CLIENT link to, which is
// a create span or a context that was made elsewhere and stored with the message.
func (v *view) findCreations() {
	for i, m := range v.messages {
		if m == nil || m.op != semconv.OperationCreate && m.op != semconv.OperationSend {
			continue
		}
		v.creation[i] = true
		if m.op != semconv.OperationSend || v.set.Span(journey.Index(i)).Kind != journey.KindClient {
			continue
		}
		for _, t := range v.targets(journey.Index(i)) {
			if t != none {
				v.creation[t] = true
			}
		}
	}
}

func (v *view) findUses() {
	for i, m := range v.messages {
		if m == nil || !m.consumes() {
			continue
		}
		start, _ := v.set.Times(journey.Index(i))
		use := func(t journey.Index) {
			if t != none && v.creation[t] && (v.firstUse[t] == 0 || start < v.firstUse[t]) {
				v.firstUse[t] = start
			}
		}
		use(v.parent(journey.Index(i)))
		for _, t := range v.targets(journey.Index(i)) {
			use(t)
		}
	}
}

// carries reports whether send span i sent a message with the creation context t, which it links to. A send span that links
// to the context of a message that was consumed before is a retry or a forward: it made a new message.
func (v *view) carries(i, t journey.Index) bool {
	if t == none || !v.creation[t] || v.firstUse[i] != 0 {
		return false
	}
	if create := v.messages[t] != nil && v.messages[t].op == semconv.OperationCreate; !create && v.set.Span(i).Kind != journey.KindClient {
		return false
	}
	start, _ := v.set.Times(i)
	return v.firstUse[t] == 0 || v.firstUse[t] > start
}

// role is the part that another span has for a span that consumes messages.
type role uint8

const (
	related  role = iota // none that concerns the message
	creation             // the creation context of a message
	injected             // the span whose context was put into the message, though it is not a creation context
	unknown              // not in the set
)

// linkRole returns the role of a link's target.
func (v *view) linkRole(i, target journey.Index) role {
	switch {
	case target == none:
		return unknown
	case v.creation[target]:
		return creation
	case v.messages[target] == nil && v.set.Span(target).Service != v.set.Span(i).Service:
		return injected
	}
	return related
}

// parentRole returns the role of the parent of span i. A parent in the same process is no creation context.
func (v *view) parentRole(i journey.Index) role {
	span := v.set.Span(i)
	if span.Parent.IsZero() {
		return related
	}
	p := v.parent(i)
	local := span.Flags&flagsKnown != 0 && span.Flags&flagsRemote == 0
	switch {
	case p == none && local:
		return related
	case p == none:
		return unknown
	case v.creation[p]:
		return creation
	case v.messages[p] == nil && !local && (v.set.Span(p).Service != span.Service || span.Flags&flagsRemote != 0):
		return injected
	}
	return related
}

// Bits of a span's flags in OTLP, besides those of W3C Trace Context.
const (
	flagSampled = 0x1   // W3C: the sampled flag
	flagsKnown  = 0x100 // it is known whether the parent, or the link's target, was remote
	flagsRemote = 0x200 // it was
)

// origins are the references of a span to the messages that it accounts for.
type origins struct {
	parent   role
	links    int  // distinct creation contexts that links name, or may name
	toParent bool // one of the links is to the parent
}

// known reports whether anything may be the creation context.
func (o origins) known() bool { return o.links > 0 || o.parent != related }

// findOrigins looks through parent and links of each span that consumes messages. Contexts that were injected by the
// wrong span count where there is no creation context.
func (v *view) findOrigins() {
	seen := make([]int32, len(v.messages)) // by target: the last span, plus 1, that links to it
	for i, m := range v.messages {
		if m != nil && m.consumes() {
			m.origins = v.originsOf(journey.Index(i), seen)
		}
	}
}

func (v *view) originsOf(i journey.Index, seen []int32) origins {
	span := v.set.Span(i)
	o := origins{parent: v.parentRole(i)}
	wrong := 0
	for l, t := range v.targets(i) {
		if link := span.Links[l].Ref; link.Span == span.Parent && link.Trace == span.Trace && !span.Parent.IsZero() {
			o.toParent = true
		}
		if t != none {
			if seen[t] == int32(i)+1 {
				continue
			}
			seen[t] = int32(i) + 1
		}
		switch v.linkRole(i, t) {
		case creation, unknown:
			o.links++
		case injected:
			wrong++
		case related:
		}
	}
	if o.links == 0 && (o.parent == related || o.parent == injected) {
		o.links = wrong
	}
	return o
}

// batch reports whether span i stands for several messages.
func (v *view) batch(i journey.Index, m *message) bool {
	if m.hasCount {
		return m.count > 1
	}
	return v.messagesLinked(i, m) > 1
}

// messagesLinked returns for how many messages a span has links.
func (v *view) messagesLinked(i journey.Index, m *message) int {
	if m.consumes() {
		return m.origins.links
	}
	n := 0
	if m.op == semconv.OperationSend {
		for _, t := range v.targets(i) {
			if t != none && v.messages[t] != nil && v.messages[t].op == semconv.OperationCreate {
				n++
			}
		}
	}
	return n
}
