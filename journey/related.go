package journey

import (
	"cmp"
	"slices"
)

// relatedLinks has the links that are not causes, once sorted by where they start and once by where they lead.
type relatedLinks struct {
	from, to [][2]Index // {span, other}
}

func (r *relatedLinks) add(from, to Index) {
	r.from = append(r.from, [2]Index{from, to})
}

func (r *relatedLinks) finish() {
	compare := func(a, b [2]Index) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
	slices.SortFunc(r.from, compare)
	r.from = slices.Compact(r.from)
	r.to = make([][2]Index, len(r.from))
	for i, pair := range r.from {
		r.to[i] = [2]Index{pair[1], pair[0]}
	}
	slices.SortFunc(r.to, compare)
}

func others(sorted [][2]Index, i Index) []Index {
	at, _ := slices.BinarySearchFunc(sorted, i, func(pair [2]Index, i Index) int { return cmp.Compare(pair[0], i) })
	var list []Index
	for ; at < len(sorted) && sorted[at][0] == i; at++ {
		list = append(list, sorted[at][1])
	}
	return list
}

// Related returns the links of span i that are not causes: the spans that it links to, and those that link to it, each in
// the set's order. They show what belongs together; no path, no measure and no journey follows them. A link to a span that
// is a cause for another reason is left out.
func (s *Set) Related(i Index) (to, from []Index) {
	if s == nil {
		return nil, nil
	}
	return others(s.related.from, i), others(s.related.to, i)
}
