package lint

import (
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// propagationRules are about how the spans of a trace and of a journey hang together.
func propagationRules() []Rule {
	return []Rule{
		{ID: "P01", Level: LevelError, Check: EachSpan(orphan),
			Finds: "A span names a parent that is missing.",
			Fix:   "find out where the parent went: sampled out, dropped on export, or of a service that does not export"},
		{ID: "P02", Level: LevelWarning, Check: traceRoots,
			Finds: "A trace has no root, or several.",
			Fix:   "look for the span that lost its parent; start a trace of its own for work that no other span caused"},
		{ID: "P03", Level: LevelError, Check: EachSpan(consumerRoot),
			Finds: "A span that consumes a message is a root without any link: the context was lost at the hop.",
			Fix:   "inject the context into the message's headers when it is sent, and extract it before the process span starts"},
		{ID: "P04", Level: LevelWarning, Check: EachSpan(linkTargets),
			Finds: "The target of a link is missing.",
			Fix:   "fetch the traces that links name as well; look at sampling and dropped spans if they are not stored"},
		{ID: "P07", Level: LevelWarning, Check: EachSpan(lossesAndWarnings),
			Finds: "Attributes, events or links of a span were dropped, or the system that stored it has warnings about it.",
			Fix:   "raise the limits OTEL_SPAN_*_COUNT_LIMIT or record less; heed what the store says of clocks and truncation"},
		{ID: "P08", Level: LevelWarning, Check: EachSpan(sampledFlag),
			Finds: "The sampled flag differs along a chain.",
			Fix:   "sample by the parent (ParentBased), and hand the traceparent's flags on as they came"},
		{ID: "P13", Level: LevelWarning, Check: EachSpan(doubledContext),
			Finds: "A record or request carried traceparent more than once: who reads the first one and who reads the last one see different parents.",
			Fix:   "find the two instrumentations that inject, and set the header in the place of adding it"},
		{ID: "P14", Level: LevelWarning, Check: EachSpan(missingKinds),
			Finds: "A span of kind INTERNAL, or of none, has a child of such a kind in another service: whether that was a call or a message nobody can tell.",
			Fix:   "set the kinds: CLIENT and SERVER on the two sides of a call, PRODUCER and CONSUMER on those of a message"},
		{ID: "P09", Level: LevelWarning, Check: silentFailure,
			Finds: "The caller's span is fine, and later work that it caused failed.",
			Fix:   "make sure that somebody is told: the caller does not know"},
		{ID: "P10", Level: LevelWarning, Check: EachSpan(beforeItsCause),
			Finds: "A child started before its parent, or a consumer before its producer.",
			Fix:   "synchronize the clocks of the hosts; times across them are off by at least that much"},
	}
}

// shared reports whether span i belongs to a trace of receive and settle spans only: no journey reaches it.
func (v *view) shared(i journey.Index) bool {
	return v.set.Shared(i) && len(v.set.JourneysOf(v.set.Span(i).Trace)) == 0
}

func orphan(c *Pass, i journey.Index) {
	span := c.set.Span(i)
	if span.Parent.IsZero() || c.parent(i) != none || c.shared(i) {
		return
	}
	if _, ok := c.set.Find(journey.Ref{Trace: span.Trace, Span: span.Parent}); ok {
		return // it is there, and was cut off a cycle
	}
	switch {
	case span.Flags&flagsRemote != 0:
		c.foundFix(i, "look at the service that called: does it export, to the same place, and was it sampled; or is something between that makes a span context without a span",
			"%s names the parent %s, which is missing; it was remote: lost at the boundary", c.at(i), span.Parent)
	case span.Flags&flagsKnown != 0:
		c.foundFix(i, "look at this service: was the parent never ended, filtered out, or dropped when the queue for export was full",
			"%s names the parent %s, which is missing; it was local: lost in the process", c.at(i), span.Parent)
	default:
		c.found(i, "%s names the parent %s, which is missing", c.at(i), span.Parent)
	}
}

// traceRoots counts the spans without a parent in each trace; spans shared by several journeys do not count.
func traceRoots(c *Pass) {
	type trace struct {
		first, second journey.Index
		roots         int
		poll          bool // its root is a receive span that belongs to no journey
	}
	traces := make(map[journey.TraceID]*trace)
	var order []*trace
	for k := range c.messages {
		i := journey.Index(k)
		span := c.set.Span(i)
		if c.set.Shared(i) && !span.Parent.IsZero() {
			continue
		}
		t := traces[span.Trace]
		if t == nil {
			t = &trace{first: none, second: none}
			traces[span.Trace] = t
			order = append(order, t)
		}
		if c.set.Shared(i) {
			t.poll = true
			continue
		}
		if t.first == none {
			t.first = i
		}
		if !span.Parent.IsZero() {
			continue
		}
		if t.roots++; t.roots == 2 {
			t.second = i
		}
	}
	for _, t := range order {
		switch {
		case t.first == none || t.roots == 0 && t.poll:
		case t.roots == 0:
			c.found(t.first, "trace has no root; %s is its earliest span", c.at(t.first))
		case t.roots > 1:
			c.found(t.second, "trace has %d roots; %s is the second", t.roots, c.at(t.second))
		}
	}
}

// lostAtHop reports a root that consumes and has no link, outside of shared traces.
func (v *view) lostAtHop(i journey.Index) bool {
	span := v.set.Span(i)
	return span.Parent.IsZero() && len(span.Links) == 0 && span.DroppedLinks == 0 && v.set.ConsumerSide(i) && !v.shared(i) && !v.passedOn[i]
}

func consumerRoot(c *Pass, i journey.Index) {
	if m := c.messages[i]; c.lostAtHop(i) && (m == nil || !m.hasCount || m.count > 0) {
		c.found(i, "%s is a root and has no link: the context of its message was lost at the hop", c.at(i))
	}
}

// linkTargets makes one finding for each span and each reason.
func linkTargets(c *Pass, i journey.Index) {
	var count [journey.AbsenceNotStored + 1]int
	var first [journey.AbsenceNotStored + 1]journey.Ref
	links := c.set.Span(i).Links
	for l, t := range c.targets(i) {
		if t != none {
			continue
		}
		why := journey.AbsenceUnknown
		if c.options.lookup != nil {
			why = min(c.options.lookup(links[l].Ref), journey.AbsenceNotStored)
		}
		if count[why]++; count[why] == 1 {
			first[why] = links[l].Ref
		}
	}
	for why, n := range count {
		if n == 0 {
			continue
		}
		switch target := first[why]; journey.Absence(why) {
		case journey.AbsenceNotFetched:
			c.foundFix(i, "fetch the traces that the links name", "%s has %d of %d links to spans that were not fetched, first %s", c.at(i), n, len(links), target)
		case journey.AbsenceNotStored:
			c.foundFix(i, "look at sampling, and at spans dropped on export", "%s has %d of %d links to spans that are not stored, first %s", c.at(i), n, len(links), target)
		default:
			c.found(i, "%s has %d of %d links to spans that are missing from these traces: not fetched, or not stored; first %s", c.at(i), n, len(links), target)
		}
	}
}

func lossesAndWarnings(c *Pass, i journey.Index) {
	span := c.set.Span(i)
	if n := span.DroppedAttributes; n > 0 {
		c.found(i, "%s lost %d attributes", c.at(i), n)
	}
	if n := span.DroppedEvents; n > 0 {
		c.found(i, "%s lost %d events", c.at(i), n)
	}
	if n := span.DroppedLinks; n > 0 && c.messages[i] == nil { // else S14
		c.found(i, "%s lost %d links", c.at(i), n)
	}
	lost := uint64(0)
	for l := range span.Links {
		lost += uint64(span.Links[l].DroppedAttributes)
	}
	if lost > 0 {
		c.found(i, "links of %s lost %d attributes", c.at(i), lost)
	}
	if len(span.Warnings) > 0 {
		c.found(i, "%s was stored with a warning: %s", c.at(i), strings.Join(span.Warnings, "; "))
	}
}

// beforeItsCause leaves receive spans alone: a poll may well be opened before the message exists.
func beforeItsCause(c *Pass, i journey.Index) {
	if m := c.messages[i]; m != nil && m.op == semconv.OperationReceive {
		return
	}
	start, _ := c.set.Times(i)
	early := func(t journey.Index) bool {
		if t == none {
			return false
		}
		from, _ := c.set.Times(t)
		return start < from
	}
	if p := c.parent(i); early(p) {
		from, _ := c.set.Times(p)
		c.found(i, "%s started %d ns before its parent, %s", c.at(i), from-start, c.at(p))
		return
	}
	if c.messages[i] == nil || c.messages[i].op != semconv.OperationProcess {
		return
	}
	for _, t := range c.targets(i) {
		if early(t) && c.creation[t] {
			from, _ := c.set.Times(t)
			c.found(i, "%s started %d ns before the span that made its message, %s", c.at(i), from-start, c.at(t))
			return
		}
	}
}

// missingKinds leaves messaging spans to M05 and S13.
func missingKinds(c *Pass, i journey.Index) {
	p := c.parent(i)
	if p == none || !withoutKind(c.set.Span(i).Kind) || !withoutKind(c.set.Span(p).Kind) || c.messages[i] != nil || c.messages[p] != nil {
		return
	}
	if child, parent := c.set.Span(i), c.set.Span(p); child.Service != parent.Service {
		c.found(i, "%s is of kind %s, and its parent %s of kind %s, though they are in two services", c.at(i), child.Kind, c.at(p), parent.Kind)
	}
}

func withoutKind(k journey.Kind) bool {
	return k == journey.KindUnspecified || k == journey.KindInternal
}
