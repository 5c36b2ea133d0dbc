package journey

// Aside names spans that stand in a set only because they led to others: of which not all is known, and which belong to journeys
// elsewhere. They are causes as all others are, but no journey starts at them, none has them as spans that it did not reach, and
// where no journey reaches them they are shared.
func Aside(is func(*Span) bool) Option {
	return func(o *options) { o.aside = is }
}

// setAside marks the spans that Aside names, when all edges are there.
func (s *Set) setAside() {
	if s.options.aside == nil {
		return
	}
	for i := range s.nodes {
		if s.options.aside(s.Span(Index(i))) {
			s.nodes[i].flags |= isLeftOut
		}
	}
}
