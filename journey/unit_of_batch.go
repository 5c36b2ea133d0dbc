package journey

import "slices"

// findUnits finds the spans that do the part of some messages of a batch: their parent handled several messages, and they link to what sent one
// or more of these. What they cause belongs to the journeys of these messages, and not to those of the whole batch. A commit is of no journey.
func (s *Set) findUnits() {
	var origins []Index
	for i := range s.nodes {
		c := &s.nodes[i]
		if c.parent == none || c.is(isConsumer|isShared) || !s.nodes[c.parent].is(isConsumer) || len(s.spans[c.span].Links) == 0 {
			continue
		}
		origins = origins[:0]
		for _, e := range s.edgesTo(c.parent) {
			if s.carries(e) {
				origins = append(origins, e.pred)
			}
		}
		if len(origins) < 2 {
			continue
		}
		var own []Index
		for _, l := range s.spans[c.span].Links {
			if t := s.linkTarget(c, l.Ref); slices.Contains(origins, t) && !slices.Contains(own, t) {
				own = append(own, t)
			}
		}
		if len(own) > 0 {
			if s.units == nil {
				s.units = make(map[Index][]Index)
			}
			s.units[Index(i)] = own
		}
	}
}

// eachCause calls visit with each span whose journeys span i belongs to by an edge. Edges of class retry add no span to a journey.
func (s *Set) eachCause(i Index, visit func(Index)) {
	origins := s.units[i]
	for _, e := range s.edgesTo(i) {
		if e.class != ClassRetry && (origins == nil || e.pred != s.nodes[i].parent) {
			visit(e.pred)
		}
	}
	for _, origin := range origins {
		visit(origin)
	}
}
