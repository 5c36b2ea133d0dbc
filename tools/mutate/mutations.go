package main

import "path/filepath"

// mutation is one line of the judge, and how it is broken.
type mutation struct {
	rule     string // what holds no more
	file     string
	from, to string
}

// mutations are all of them. To add one: a rule in words, the file, a piece of text that stands there once, and what it becomes.
// The tests of the file's own package must notice it.
func mutations() []mutation {
	var all []mutation
	for _, in := range []struct {
		folder string
		list   []mutation
	}{
		{"journey", journeyMutations()},
	} {
		for _, m := range in.list {
			m.file = filepath.Join(in.folder, m.file)
			all = append(all, m)
		}
	}
	return all
}

// journeyMutations break each rule of how spans become edges and journeys, and of both paths.
func journeyMutations() []mutation {
	return []mutation{
		{"edge: a producer leads to a consumer-side span by message", "edge.go",
			"case p.kind == KindProducer && (c.is(isConsumer) ||", "case p.kind == KindProducer && (c.kind == KindUnspecified ||"},
		{"edge: continuation needs the same service", "edge.go",
			"p.is(isConsumer) && c.is(isConsumer) && p.service == c.service && c.start >= p.end", "p.is(isConsumer) && c.is(isConsumer) && c.start >= p.end"},
		{"edge: continuation begins at or after the end", "edge.go",
			"p.service == c.service && c.start >= p.end", "p.service == c.service && c.start > p.end"},
		{"edge: detached-after begins at or after the end", "edge.go",
			"case c.start >= p.end && c.end > p.end:", "case c.start > p.end && c.end > p.end:"},
		{"edge: detached-after ends later", "edge.go",
			"case c.start >= p.end && c.end > p.end:", "case c.start >= p.end:"},
		{"edge: abandoned is a client that gave up with an error", "edge.go",
			"		if p.failed() {\n			e.class = ClassAbandoned", "		if !p.failed() {\n			e.class = ClassAbandoned"},
		{"edge: a server that runs over is warned of", "edge.go",
			"		return e, true", "		return e, false"},
		{"edge: detached-overlap does not block its caller", "edge.go",
			"	case late:\n		e.class = ClassDetachedOverlap", "	case late:\n		e.class = ClassCall"},
		{"edge: the tolerance is at least 1 ms between resources", "resource.go", "least := int64(millisecond)\n", "least := int64(millisecond / 2)\n"},
		{"edge: the tolerance is 1 % of a long span", "resource.go", "min((n.end-n.start)/100, 50*millisecond)", "min((n.end-n.start)/200, 50*millisecond)"},
		{"edge: error.type counts as a failure", "edge.go", "n.is(hasErrorStatus | hasErrorType)", "n.is(hasErrorStatus)"},
		{"edge: a message is ready at its producer's end", "edge.go",
			"		return s.nodes[e.pred].end\n	case ClassContinuation", "		return s.nodes[effect].start\n	case ClassContinuation"},
		{"link: only consumer-side spans are caused by links", "edges.go",
			"	case !c.is(isConsumer):\n		return edge{}, false\n", ""},
		{"link: a link to a create span leads to the send span", "edges.go",
			"return edge{pred: b.send(t, c), class: ClassMessage}, true", "return edge{pred: t, class: ClassMessage}, true"},
		{"link: a parent and links to one span are one edge", "edges.go",
			"if e.pred != i && b.seen[e.pred] != i {", "if e.pred != i {"},
		{"settle: settle spans have no edge from their parent", "edges.go",
			"if c.parent == none || c.op == semconv.OperationSettle ||", "if c.parent == none ||"},
		{"receive: its edges count only without a producer of one's own", "receive.go",
			"n.is(isShared) || own && r.nodes[e.pred].op == semconv.OperationReceive || lost", "n.is(isShared) || lost"},
		{"receive: one from which and to which no edge counts is shared", "receive.go",
			"if r.counts[i] == 0 && !r.keeps(i) {", "if r.counts[i] < 0 && !r.keeps(i) {"},
		{"effective end: a call ends no later than its caller", "effective.go",
			"n.eff = min(n.end, s.nodes[n.caller].eff)", "n.eff = n.end"},
		{"root: a consumer-side span is no root", "closure.go",
			"if n.is(isConsumer) || n.parent != none {", "if n.parent != none {"},
		{"root: an orphan is one when no span has an empty parent", "closure.go",
			"r.empty == none && r.orphan != none && !f.reached[t]", "false && r.orphan != none && !f.reached[t]"},
		{"journey: nobody walks back from a shared effect", "closure.go",
			"			if !f.rooted[e.pred] {\n				f.visit(e.pred)", "			if true {\n				f.visit(e.pred)"},
		{"path: of side by side calls the last one is on the path", "effective.go",
			"return cmp.Compare(b.end, a.end)", "return cmp.Compare(a.end, b.end)"},
		{"path: a call beside a later one is off the path", "path.go",
			"if c.end > f.t && !s.tolerates(f.span, s.lastOf(call), c.end-f.t) ||", "if c.end > f.t+1<<60 ||"},
		{"path: what exceeds the explained point is clipped", "path.go",
			"max(c.start, f.lo), min(c.end, f.t)", "max(c.start, f.lo), c.end"},
		{"completion: the cause that was ready last", "completion.go",
			"if !found || ready > latest ||", "if !found || ready < latest ||"},
		{"completion: of two causes ready together, the message", "completion.go",
			"return e.class == ClassMessage\n	}\n	return s.lower", "return e.class != ClassMessage\n	}\n	return s.lower"},
		{"completion: a poll that was open before the message", "completion.go",
			"w.lo = max(w.lo, min(max(p.set.arrival(w.cause.pred, w.cur), p.set.ready(w.cause, w.cur)), w.t))", "w.lo = max(w.lo, w.start)"},
		{"completion: waiting for others of the batch has its own class", "completion.go",
			"g := min(max(p.othersReady(w), h), w.t)", "g := min(h, w.t)"},
		{"completion: no span is current twice", "completion.go",
			"!ok || has(w.been, position) {", "!ok || position < 0 {"},
		{"completion: of spans that end together, one whose caller is not among them", "closure.go",
			"s.nodes[c].eff == n.eff && f.mark[c] == f.walk {", "s.nodes[c].eff == n.eff && f.mark[c] != f.walk {"},
		{"repair: spans of one id, name, kind and times are one, whatever their resource", "normalize.go",
			"x.Trace == y.Trace && x.End == y.End && x.Kind == y.Kind && x.Name == y.Name", "x.Trace == y.Trace && compareSpans(x, y) == 0"},
		{"repair: a trace whose id was cut needs a parent that is in the other", "repair.go",
			"s.index.find(s.nodes, other, id) != none {", "other >= 0 {"},
		{"repair: a cut id names exactly one other trace", "repair.go", "				n = -1\n", "				_ = n\n"},
		{"repair: both halves of a call have ids of their own", "repair.go", "if len(s.halves) == 0 {", "if len(s.halves) >= 0 {"},
		{"repair: children go to the half of their own service", "repair.go", "return s.nodes[server].service == own", "return true"},
		{"repair: links are parents only in traces without any", "repair.go", "delete(flat, s.nodes[i].trace)", "_ = flat"},
		{"tolerance: within a resource it is the step of its clock", "resource.go", "least = millisecond / 1000", "least = millisecond"},
		{"tolerance: a clock of whole milliseconds", "resource.go", "if !n.is(isCoarse) && s.resources", "if s.resources"},
		{"tolerance: instances of a service have clocks of their own", "resource.go", "&& agree(p.instance, c.instance)", ""},
		{"tolerance: 50 ms at most", "resource.go", "50*millisecond", "500*millisecond"},
		{"service: without a name it is told apart by its attributes", "resource.go",
			"	for _, a := range list {\n		key +=", "	for _, a := range list[:0] {\n		key +="},
		{"edge: a message to another service's span of any kind", "edge.go", "c.service != p.service && (c.kind", "false && (c.kind"},
		{"edge: a broker that is called gets no message", "edge.go", "(c.kind != KindServer || c.start < p.start || late)", "true"},
		{"edge: a message without a send span", "edge.go", "case injects(p) && c.kind == KindConsumer", "case false && c.kind == KindConsumer"},
		{"edge: an injected context is ready when the consumer began", "edge.go", "return min(s.nodes[e.pred].end, s.nodes[effect].start)", "return s.nodes[e.pred].end"},
		{"edge: mailbox within a service", "edge.go", "if c.is(isCarryOn) && c.service == p.service {", "if c.is(isCarryOn) {"},
		{"edge: what says that it carries on waited in a mailbox", "edge.go", "e.class = ClassMailbox", "e.class = ClassDetachedAfter"},
		{"link: to a consumer-side span only when it had ended", "edges.go", "p.end <= c.start || s.tolerates(t, i, p.end-c.start)", "true"},
		{"link: a create span leads to what sends it", "edges.go", "class: ClassMessage, made: true}, true", "class: ClassMessage, made: true}, false"},
		{"link: what was created is not delivered to what sends it", "edge.go", "&& !e.made &&", "&&"},
		{"link: child_of beside a parent is a cause", "edges.go", "case childOf && c.parent != none, c.is", "case c.is"},
		{"receive: one consumer is one service", "receive.go", "return a.service == b.service && (a.group", "return (a.group"},
		{"receive: groups are consumers where both name one", "receive.go", "(a.group == b.group || a.group == 0 || b.group == 0)", "true"},
		{"receive: one stands for the handling where nobody handles", "receive.go", "		return r.messages[i] > 0\n", "		return false\n"},
		{"receive: a poll of one message keeps it for the work below", "receive.go", "return r.messages[i] == 1 && r.counts[i] > 0", "return false"},
		{"receive: a poll of several messages has none", "receive.go", "return r.messages[i] == 1 && r.counts[i] > 0", "return r.counts[i] > 0"},
		{"receive: a poll is no delivery", "receive.go", "r.nodes[i].flags |= isPoll", "_ = i"},
		{"receive: repeated until nothing changes", "receive.go", "r.counts[e.pred] == 0 && !r.keeps(e.pred)", "false && !r.keeps(e.pred)"},
		{"retry: only after a failure", "retry.go", "s.nodes[h].failed() && (!ok", "(!ok"},
		{"retry: of the same consumer", "retry.go", "if !sameConsumer(a, b) || a.topic", "if a.topic"},
		{"retry: of one destination", "retry.go", "a.topic != b.topic && a.topic != 0 && b.topic != 0", "false"},
		{"retry: an unnamed group is known by its span's name", "retry.go", "return a.group != 0 && b.group != 0 ||", "return true ||"},
		{"retry: widens no journey", "edges.go", "			if e.class == ClassRetry {\n				continue\n			}\n", ""},
		{"reply: needs the id", "reply.go", "key := conversation{n.service, s.spans[n.span].conversationID()}", "key := conversation{n.service, \"\"}"},
		{"reply: was open when it came", "reply.go", "return s.nodes[q].start < s.nodes[i].end &&", "return"},
		{"reply: ended no later than its waiter, within the tolerance", "reply.go", "&& s.tolerates(i, q, s.nodes[q].end-s.nodes[i].end)", ""},
		{"reply: the last one counts", "reply.go", "return s.compareEnds(j, i)", "return s.compareEnds(i, j)"},
		{"reply: is reached from what was sent", "reply.go", "if f.mark[q] == f.walk {", "if f.mark[q] >= 0 {"},
		{"reply: does not consume what was sent", "reply.go", "e.pred == p && e.class == ClassMessage", "e.pred == p && e.class == ClassCall"},
		{"reply: is not chosen within itself", "path.go", "call < none && slices.Contains(p.active, replyOf(call))", "false"},
		{"reply: only over what was reached", "completion.go", "message: none, reply: k, in: p.reach(r.sent)}", "message: none, reply: k}"},
		{"join: its parents had ended", "join.go", "if s.nodes[e.pred].end > by {", "if s.nodes[e.pred].end > by+1<<60 {"},
		{"join: within its caller", "join.go", "s.nodes[a].start > s.nodes[i].start || !s.tolerates(a, i, s.nodes[i].end-s.nodes[a].end)", "s.nodes[a].start > s.nodes[i].start"},
		{"join: continues its parents", "join.go", "e.class = ClassContinuation", "_ = e"},
		{"loop: a worker's loop roots no journey", "loop.go", "if s.nodes[root].kind != KindInternal {", "if s.nodes[root].kind != 99 {"},
		{"loop: by messages that others sent", "loop.go", "s.carries(e) && f.mark[e.pred] != f.walk &&", "s.carries(e) &&"},
		{"loop: by a poll that lost its messages, too", "loop.go", "t != none && t != poll && f.mark[t] != f.walk", "false"},
		{"arrival: of a poll that was open before, its first work or its end", "message.go", "c.op != semconv.OperationReceive || c.start >= p.start", "true"},
		{"arrival: at the first work after the message was sent", "message.go", "if at < len(effects) {", "if at < 0 {"},
		{"message: handled below what received it, it arrived there", "message.go", "&& c.caller != receive && sameConsumer", "&& sameConsumer"},
		{"completion: a poll counts from its start when that was after the message", "completion.go", "&& n.start < p.set.nodes[w.cause.pred].start {", "{"},
		{"completion: only messages make a batch", "completion.go", "		if !s.carries(e) {\n			continue\n		}\n", ""},
		{"without: what something else caused stays", "without.go", "if !selected[i] && !selected[e.pred] {", "if !selected[i] && !s.nodes[e.pred].is(isLeftOut) {"},
		{"clock: a receive span bounds by its end", "clock.go", "latest = c.end //", "latest = c.start //"},
	}
}
