package actor

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/watch/record"
)

// aside marks a span as a stub, in its Source: the judge keeps that through all repairs.
const aside = "~"

func isStub(s *journey.Span) bool { return s.Source == aside }

// stubOf returns the stub of a span: what other traces need to know of a cause. It has no parent, and links only if it is a send span, which
// name the messages that it sent. The stub of a stub is the same stub.
func stubOf(s *journey.Span) journey.Span {
	x := *s
	x.Parent, x.Links, x.TraceState, x.Source, x.Warnings = journey.SpanID{}, nil, "", aside, nil
	x.DroppedAttributes, x.DroppedEvents, x.DroppedLinks = 0, 0, 0
	if m, ok := s.Messaging(); ok && m.Operation == semconv.OperationSend {
		for _, l := range s.Links {
			x.Links = addLinks(x.Links, linksTo(s, l.Ref))
		}
	}
	return x
}

// handlerOf returns a stub of a span that handled messages, which keeps its links to their producers. A producer that is its parent is the stub's
// parent.
func handlerOf(s *journey.Span, producers ...journey.Ref) journey.Span {
	x := stubOf(s)
	for _, p := range producers {
		x.Links = addLinks(x.Links, linksTo(s, p))
		if s.Trace == p.Trace && s.Parent == p.Span {
			x.Parent = s.Parent
		}
	}
	return x
}

// refType and childOf are the attribute of a link to a further parent, as OpenTracing allows them.
const (
	refType = "opentracing.ref_type"
	childOf = "child_of"
)

// isParent reports whether a link stands for a further parent of a span: such a link is no message. A stub has no first parent, and a
// span that is its own has none.
func isParent(s *journey.Span, l journey.Link) bool {
	return (!s.Parent.IsZero() || isStub(s)) && s.Parent != s.ID && slices.ContainsFunc(l.Attributes, func(a journey.Attribute) bool {
		return a.Key == refType && a.Value.String() == childOf
	})
}

// handlerIn returns the stub that handlerOf makes of a span, which is span i of a set. Links are to further parents only where the first one is there.
func handlerIn(set *journey.Set, i journey.Index, x *journey.Span, producers ...journey.Ref) journey.Span {
	s := *x
	if _, has := set.Parent(i); !has && !isStub(x) {
		s.Parent = journey.SpanID{}
	}
	return handlerOf(&s, producers...)
}

func hasFurther(s *journey.Span) bool {
	return slices.ContainsFunc(s.Links, func(l journey.Link) bool { return isParent(s, l) })
}

// linksTo returns a span's links to another one: of several of the same meaning, the first.
func linksTo(s *journey.Span, to journey.Ref) (list []journey.Link) {
	var had [2]bool
	for _, l := range s.Links {
		x, n := journey.Link{Ref: to}, 0
		if isParent(s, l) {
			x.Attributes, n = []journey.Attribute{{Key: refType, Value: journey.StringValue(childOf)}}, 1
		}
		if l.Ref == to && !had[n] {
			had[n], list = true, append(list, x)
		}
	}
	return list
}

// addLinks adds links to one span to a sorted list that has none to it.
func addLinks(list, links []journey.Link) []journey.Link {
	if len(links) == 0 {
		return list
	}
	at, found := slices.BinarySearchFunc(list, links[0].Ref, func(l journey.Link, r journey.Ref) int { return compareRefs(l.Ref, r) })
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), at, links...)
}

// compareRefs orders spans by trace id, then by span id.
func compareRefs(a, b journey.Ref) int {
	if c := a.Trace.Compare(b.Trace); c != 0 {
		return c
	}
	return a.Span.Compare(b.Span)
}

// identity is equal for two copies of one span.
type identity struct {
	journey.Ref
	start, end int64
	kind       journey.Kind
	name       string
}

func identityOf(s *journey.Span) identity {
	return identity{s.Ref(), s.Start, s.End, s.Kind, s.Name}
}

// collection is a set of spans and stubs. A span replaces its stub. Two stubs of one span are merged into one with the links of both; its own
// parent it is if one of them is: see cutParent.
type collection struct {
	spans []journey.Span
	at    table[identity, int32]
}

// room makes room for n more spans.
func (c *collection) room(n int) {
	c.spans = slices.Grow(c.spans, n)
	c.at.room(n)
}

func (c *collection) add(s journey.Span) {
	key := identityOf(&s)
	k, known := c.at.get(key)
	switch {
	case !known:
		c.at.put(key, int32(len(c.spans)))
		c.spans = append(c.spans, s)
	case !isStub(&s) && isStub(&c.spans[k]):
		c.spans[k] = s
	case isStub(&s) && isStub(&c.spans[k]):
		c.spans[k] = merged(c.spans[k], s)
	case isStub(&s) || c.spans[k].Parent == s.ID && sameButParent(&s, &c.spans[k]):
	case s.Parent == s.ID && sameButParent(&s, &c.spans[k]):
		c.spans[k] = s
	default:
		c.spans = append(c.spans, s) // the set sees that they are one
	}
}

// sameButParent reports whether one of two spans is the other after cutParent.
func sameButParent(a, b *journey.Span) bool {
	x, y := *a, *b
	x.Parent, y.Parent = journey.SpanID{}, journey.SpanID{}
	return bytes.Equal(record.AppendSpan(nil, &x), record.AppendSpan(nil, &y))
}

// addOwn adds a span as it came. Of two with one id, the set takes the first in its order.
func (c *collection) addOwn(s journey.Span) {
	c.at.put(identityOf(&s), int32(len(c.spans)))
	c.spans = append(c.spans, s)
}

// merged returns one stub for two stubs of a span. Its parent and links are first those of one whose parents form a cycle, then of one that has further
// parents: the other one was made before these were known. What else copies of a span differ in is that of the copy which a set takes.
func merged(a, b journey.Span) journey.Span {
	first := &a
	if compareCopies(&b, &a) < 0 {
		first = &b
	}
	x := *first
	if b.Parent == b.ID || a.Parent != a.ID && hasFurther(&b) {
		a, b = b, a
	}
	if x.Parent = a.Parent; x.Parent.IsZero() {
		x.Parent = b.Parent
	}
	x.Links = a.Links
	for _, l := range b.Links {
		x.Links = addLinks(x.Links, linksTo(&b, l.Ref))
	}
	return x
}

// compareCopies orders copies of one span as a set does.
func compareCopies(a, b *journey.Span) int {
	if c := cmp.Or(cmp.Compare(a.Status, b.Status), strings.Compare(a.Service, b.Service)); c != 0 || slices.Equal(a.Attributes, b.Attributes) {
		return c
	}
	return slices.CompareFunc(a.Attributes, b.Attributes, func(a, b journey.Attribute) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), cmp.Compare(a.Value.Kind(), b.Value.Kind()), strings.Compare(a.Value.String(), b.Value.String()))
	})
}

// cutParent makes a span its own parent when the judge ignores its parent because parents form a cycle. So the cycle can be seen without its
// other spans.
func cutParent(set *journey.Set, i journey.Index, s *journey.Span) {
	if _, has := set.Parent(i); has || s.Parent.IsZero() {
		return
	}
	if _, found := set.Find(journey.Ref{Trace: s.Trace, Span: s.Parent}); found {
		s.Parent = s.ID
	}
}
