package journey

// Aside names spans that stand in a set only because they led to others: of which not all is known, and which belong to journeys
// elsewhere. They are causes as all others are, but no journey starts at them, none has them as spans that it did not reach, and
// where no journey reaches them they are shared. A link to a further parent is one, though their first parent is not there.
func Aside(is func(*Span) bool) Option {
	return func(o *options) { o.aside = is }
}

func (s *Set) isAside(i Index) bool { return s.options.aside != nil && s.options.aside(s.Span(i)) }

// setAside marks the spans that Aside names, when all edges are there.
func (s *Set) setAside() {
	if s.options.aside == nil {
		return
	}
	for i := range s.nodes {
		if s.isAside(Index(i)) {
			s.nodes[i].flags |= isLeftOut
		}
	}
}

// Only lets no journey start but at the root of one trace: for sets that have no more of other traces than belongs to its journey, so that these seem
// to start where they do not.
func Only(trace TraceID) Option {
	return func(o *options) { o.only = &trace }
}

// EdgesOnly stops when the edges are there, for callers that ask for causes alone: without journeys, effective ends and replies, and a
// span is shared only by what it is itself.
func EdgesOnly() Option {
	return func(o *options) { o.edgesOnly = true }
}

// only adds the journey from the root of a trace.
func (f *journeyFinder) only(trace TraceID) {
	t, ok := f.set.traces.Lookup(trace)
	if !ok {
		return
	}
	if r := f.roots[t]; r.empty != none {
		f.journey(r.empty)
	} else if r.orphan != none {
		f.journey(r.orphan)
	}
}
