package journey

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// Period is a time from From to To, both in nanoseconds since the Unix epoch.
type Period struct{ From, To int64 }

// Starved tells a set when the process that its spans are of did not get the CPU that it needed. Spans were open meanwhile, but nobody worked: on a path such
// work is a wait of ClassStarved. No measure changes, and waits stay what they were. Periods may come in any order and overlap.
func Starved(periods ...Period) Option {
	return func(o *options) { o.starved = append(o.starved, periods...) }
}

// joined returns periods in their order in time, those that touch or overlap as one, and those without a length left out. It takes O(n log n).
func joined(periods []Period) []Period {
	sorted := slices.DeleteFunc(slices.Clone(periods), func(p Period) bool { return p.To <= p.From })
	slices.SortFunc(sorted, func(a, b Period) int { return cmp.Compare(a.From, b.From) })
	one := sorted[:0]
	for _, p := range sorted {
		if n := len(one); n > 0 && p.From <= one[n-1].To {
			one[n-1].To = max(one[n-1].To, p.To)
			continue
		}
		one = append(one, p)
	}
	return one
}

// cutStarved makes waits of the work on a path that was starved. The path stays without gaps, and as long as it was.
func (j *Journey) cutStarved(path []Segment) []Segment {
	starved := j.set.options.starved
	if len(starved) == 0 {
		return path
	}
	var cut []Segment
	for _, g := range path {
		next := len(starved)
		if !g.Wait {
			next = sort.Search(len(starved), func(k int) bool { return time.Duration(starved[k].To-j.start) > g.Start })
		}
		for ; next < len(starved) && g.Start < g.End; next++ {
			from, to := time.Duration(starved[next].From-j.start), time.Duration(starved[next].To-j.start)
			if from >= g.End {
				break
			}
			if from > g.Start {
				before := g
				before.End = from
				cut = append(cut, before)
			}
			idle := Segment{Start: max(from, g.Start), End: min(to, g.End), Span: g.Span, From: none, Wait: true, Class: ClassStarved}
			cut = append(cut, idle)
			g.Start = idle.End
		}
		if g.Start < g.End {
			cut = append(cut, g)
		}
	}
	return cut
}
