package main

// folder is the package that is broken.
const folder = "journey"

// mutation is one line of the judge, and how it is broken.
type mutation struct {
	rule     string // what holds no more
	file     string
	from, to string
}

// mutations breaks each rule of how spans become edges and journeys, and of both paths. To add one: a rule in words, the
// file, a piece of text that stands there once, and what it becomes.
func mutations() []mutation {
	return []mutation{
		{"edge: a producer leads to a consumer-side span by message", "edge.go",
			"case p.kind == KindProducer && c.is(isConsumer):", "case p.kind == KindProducer && c.kind == KindUnspecified:"},
		{"edge: continuation needs the same service", "edge.go",
			"p.is(isConsumer) && c.is(isConsumer) && p.service == c.service && c.start >= p.end", "p.is(isConsumer) && c.is(isConsumer) && c.start >= p.end"},
		{"edge: continuation begins at or after the end", "edge.go",
			"p.service == c.service && c.start >= p.end", "p.service == c.service && c.start > p.end"},
		{"edge: detached-after begins at or after the end", "edge.go",
			"case c.start >= p.end && c.end > p.end:", "case c.start > p.end && c.end > p.end:"},
		{"edge: detached-after ends later", "edge.go",
			"case c.start >= p.end && c.end > p.end:", "case c.start >= p.end:"},
		{"edge: abandoned is a client that gave up with an error", "edge.go",
			"		if p.failed() {\n			return ClassAbandoned, false", "		if !p.failed() {\n			return ClassAbandoned, false"},
		{"edge: a server that runs over is warned of", "edge.go",
			"		return ClassCall, true", "		return ClassCall, false"},
		{"edge: detached-overlap does not block its caller", "edge.go",
			"		return ClassDetachedOverlap, false", "		return ClassCall, false"},
		{"edge: the tolerance is at least 1 ms", "edge.go", "max(1_000_000, (n.end-n.start)/100)", "(n.end-n.start)/100"},
		{"edge: the tolerance is 1 % of a long span", "edge.go", "max(1_000_000, (n.end-n.start)/100)", "int64(1_000_000)"},
		{"edge: error.type counts as a failure", "edge.go", "n.status == StatusError || n.is(hasErrorType)", "n.status == StatusError"},
		{"edge: a message is ready at its producer's end", "edge.go",
			"case ClassMessage, ClassContinuation, ClassDetachedAfter:", "case ClassContinuation, ClassDetachedAfter:"},
		{"link: only consumer-side spans are caused by links", "edges.go",
			"if target == i || !c.is(isConsumer) || c.op == semconv.OperationSettle", "if target == i || c.op == semconv.OperationSettle"},
		{"link: a link to a create span leads to the send span", "edges.go",
			"b.add(i, edge{b.send(target, c), ClassMessage})", "b.add(i, edge{target, ClassMessage})"},
		{"link: a parent and links to one span are one edge", "edges.go",
			"if e.pred != i && b.seen[e.pred] != i {", "if e.pred != i {"},
		{"settle: settle spans have no edge from their parent", "edges.go",
			"if c.parent == none || c.op == semconv.OperationSettle ||", "if c.parent == none ||"},
		{"receive: its edges count only without a producer of one's own", "edges.go",
			"!s.nodes[i].is(isShared) && (!own || s.nodes[e.pred].op != semconv.OperationReceive)", "!s.nodes[i].is(isShared) && (!own || true)"},
		{"receive: one from which no edge counts is shared", "edges.go",
			"if s.nodes[i].op == semconv.OperationReceive && counts[i] == 0 {", "if s.nodes[i].op == semconv.OperationReceive && counts[i] < 0 {"},
		{"effective end: a call ends no later than its caller", "effective.go",
			"n.eff = min(n.end, s.nodes[n.caller].eff)", "n.eff = n.end"},
		{"root: a consumer-side span is no root", "closure.go",
			"if n.is(isConsumer) || n.parent != none {", "if n.parent != none {"},
		{"root: an orphan is one when no span has an empty parent", "closure.go",
			"r.empty == none && r.orphan != none && !f.reached[t]", "false && r.orphan != none && !f.reached[t]"},
		{"journey: nobody walks back from a shared effect", "closure.go",
			"			if !f.rooted[e.pred] {\n				f.visit(e.pred)", "			if true {\n				f.visit(e.pred)"},
		{"path: of side by side calls the last one is on the path", "effective.go",
			"return cmp.Compare(b.eff, a.eff)", "return cmp.Compare(a.eff, b.eff)"},
		{"path: a call beside a later one is off the path", "path.go",
			"		if n.eff > latest {\n			continue", "		if n.eff > latest+1<<60 {\n			continue"},
		{"path: what exceeds the explained point is clipped", "path.go",
			"max(n.start, f.lo), min(n.eff, f.t)", "max(n.start, f.lo), n.eff"},
		{"completion: the cause that was ready last", "completion.go",
			"if !found || ready > latest ||", "if !found || ready < latest ||"},
		{"completion: of two causes ready together, the message", "completion.go",
			"return e.class == ClassMessage\n	}\n	return s.lower", "return e.class != ClassMessage\n	}\n	return s.lower"},
		{"completion: a poll that was open before the message", "completion.go",
			"lo = max(lo, min(s.ready(e, cur), w.t))", "lo = max(lo, w.start)"},
		{"completion: waiting for others of the batch has its own class", "completion.go",
			"g := min(max(w.othersReady(cur, e.pred == w.message), h), w.t)", "g := min(h, w.t)"},
		{"completion: no span is current twice", "completion.go",
			"if !ok || w.been[position/64]&(1<<(position%64)) != 0 {", "if !ok || position < 0 {"},
		{"completion: of spans that end together, one whose caller is not among them", "closure.go",
			"s.nodes[c].eff == n.eff && f.mark[c] == f.walk {", "s.nodes[c].eff == n.eff && f.mark[c] != f.walk {"},
	}
}
