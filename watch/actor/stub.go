package actor

import (
	"slices"

	"tracelab/journey"
	"tracelab/journey/semconv"
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
			x.Links = addLink(x.Links, l.Ref)
		}
	}
	return x
}

// handlerOf returns a stub of a span that handled messages, which keeps its links to their producers. A producer in its own trace that is its parent,
// or a further one, is the stub's parent.
func handlerOf(s *journey.Span, producers ...journey.Ref) journey.Span {
	x := stubOf(s)
	for _, p := range producers {
		for _, l := range s.Links {
			switch {
			case l.Ref != p:
			case !isParent(s, l):
				x.Links = addLink(x.Links, p)
			case s.Trace == p.Trace:
				x.Parent = p.Span
			}
		}
		if s.Trace == p.Trace && s.Parent == p.Span {
			x.Parent = s.Parent
		}
	}
	return x
}

// isParent reports whether a link stands for a further parent of a span, as OpenTracing allows: such a link is no message.
func isParent(s *journey.Span, l journey.Link) bool {
	return !s.Parent.IsZero() && slices.ContainsFunc(l.Attributes, func(a journey.Attribute) bool {
		return a.Key == "opentracing.ref_type" && a.Value.String() == "child_of"
	})
}

// addLink adds a link without attributes to a sorted list, once.
func addLink(list []journey.Link, r journey.Ref) []journey.Link {
	at, found := slices.BinarySearchFunc(list, r, func(l journey.Link, r journey.Ref) int { return compareRefs(l.Ref, r) })
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), at, journey.Link{Ref: r})
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
		for _, l := range s.Links {
			c.spans[k].Links = addLink(c.spans[k].Links, l.Ref)
		}
		if c.spans[k].Parent.IsZero() || s.Parent == s.ID {
			c.spans[k].Parent = s.Parent
		}
	case isStub(&s) || c.spans[k].Parent == s.ID:
	case s.Parent == s.ID:
		c.spans[k] = s
	default:
		c.spans = append(c.spans, s) // the set sees that they are one
	}
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
