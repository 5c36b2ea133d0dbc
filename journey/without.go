package journey

import (
	"fmt"
	"slices"
	"strings"
)

// Selector names spans by their service, and by their name unless that is empty.
type Selector struct{ Service, Name string }

// ParseSelector reads SERVICE or SERVICE/NAME. What follows the first slash is the name, further slashes included.
func ParseSelector(text string) (Selector, error) {
	service, name, _ := strings.Cut(text, "/")
	if service == "" {
		return Selector{}, fmt.Errorf("%q names no service: give SERVICE or SERVICE/NAME", text)
	}
	return Selector{service, name}, nil
}

// String returns the selector as ParseSelector reads it.
func (x Selector) String() string {
	if x.Name == "" {
		return x.Service
	}
	return x.Service + "/" + x.Name
}

func (x Selector) selects(span *Span) bool {
	return span.Service == x.Service && (x.Name == "" || span.Name == x.Name)
}

// Without leaves out the selected spans, and the spans that only they caused: they are in no journey and in no count.
// Set.LeftOut returns how many they are.
func Without(selectors ...Selector) Option {
	return func(o *options) { o.without = append(o.without, selectors...) }
}

// LeftOut returns how many spans are in no journey because Without left them out.
func (s *Set) LeftOut() int {
	n := 0
	if s.Len() > 0 && len(s.options.without) > 0 {
		for i := range s.nodes {
			if s.nodes[i].is(isLeftOut) && s.nodes[i].is(isShared) {
				n++
			}
		}
	}
	return n
}

// leaveOut marks the selected spans and all that they lead to, and removes the edges to and from the selected ones.
func (s *Set) leaveOut() {
	if len(s.options.without) == 0 {
		return
	}
	selected := make([]bool, len(s.nodes))
	var stack []Index
	for i := range s.nodes {
		if slices.ContainsFunc(s.options.without, func(x Selector) bool { return x.selects(s.Span(Index(i))) }) {
			selected[i] = true
			s.nodes[i].flags |= isLeftOut
			stack = append(stack, Index(i))
		}
	}
	s.buildOutEdges()
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, effect := range s.effectsOf(i) {
			if n := &s.nodes[effect]; !n.is(isLeftOut) {
				n.flags |= isLeftOut
				stack = append(stack, effect)
			}
		}
	}
	kept, from := s.in[:0], int32(0)
	for i := range s.nodes {
		edges := s.in[from:s.inAt[i+1]]
		from = s.inAt[i+1]
		for _, e := range edges {
			if !selected[i] && !selected[e.pred] {
				kept = append(kept, e)
			}
		}
		s.inAt[i+1] = int32(len(kept))
	}
	s.in = kept
}
