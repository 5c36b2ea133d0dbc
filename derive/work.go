package derive

import (
	"fmt"
	"slices"
	"strings"
)

// pieces is the work of a kind: what it took in each journey, split into steps. It adds up to the time that nothing else covered.
type pieces struct {
	main []float64       // nanoseconds, by journey that has it
	gaps map[string]*gap // by what it is done behind
	end  []float64       // nil when it is in main
}

// gap is work between two calls.
type gap struct {
	costs []float64 // nil when it is in main
	own   bool      // a step of its own
	made  *step
}

// needsKey names what something comes after.
func (k *kind) needsKey(kid *kind) string {
	var list []string
	for _, n := range k.needs[kid] {
		list = append(list, fmt.Sprintf("%p", n))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// total is the median of what an operation did itself.
func (k *kind) total() float64 { return median(k.sums(func(piece) bool { return true })) }

// sums adds up the pieces of work that are asked for, in each journey that has the kind.
func (k *kind) sums(wanted func(piece) bool) []float64 {
	var list []float64
	last := none
	for _, o := range k.seen {
		if o.journey != last {
			list, last = append(list, 0), o.journey
		}
		for _, p := range o.work() {
			if wanted(p) {
				list[len(list)-1] += float64(p.length)
			}
		}
	}
	return list
}

// workOf splits the work of a kind.
func (t *table) workOf(k *kind) *pieces {
	if p := t.pieces[k]; p != nil {
		return p
	}
	p := &pieces{gaps: map[string]*gap{}}
	t.pieces[k] = p
	least := max(ownShare*k.total(), ownLength)
	for _, kid := range k.kids {
		key := k.needsKey(kid)
		if key == "" || p.gaps[key] != nil {
			continue
		}
		p.gaps[key] = &gap{}
		if costs := k.sums(func(x piece) bool { return x.ahead != nil && k.needsKey(x.ahead) == key }); !k.steps() && median(costs) >= least {
			p.gaps[key] = &gap{costs: costs, own: true}
		}
	}
	if k.steps() {
		p.main = make([]float64, k.journeys)
		return p
	}
	end := k.sums(func(x piece) bool { return x.ahead == nil })
	waited := slices.ContainsFunc(k.kids, func(kid *kind) bool { return kid.via.waits() })
	if waited && median(end) >= least {
		p.end = end
	}
	p.main = k.sums(func(x piece) bool {
		if x.ahead == nil {
			return p.end == nil
		}
		g := p.gaps[k.needsKey(x.ahead)]
		return g == nil || !g.own
	})
	return p
}

// median is the mean of the middle two of an even number of values; 0 without values.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// quantile is the least value that a share of the values does not exceed.
func quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
