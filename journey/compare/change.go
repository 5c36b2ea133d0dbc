package compare

import "math"

// change returns how the current row changed from the first group to group g: the first of the changes that applies.
func (d *differ) change(g int, shifts [timeKinds]*NodeDelta) Change {
	b, o := &d.columns[0], &d.columns[g]
	switch {
	case b.count == 0 && o.count == 0:
		return ChangeSame // it is a third group's
	case d.lost(0, g) || d.lost(g, 0):
		return ChangeIncomplete
	case b.count == 0:
		return ChangeAdded
	case o.count == 0:
		return ChangeRemoved
	case b.carrier() != o.carrier() && b.carrier() != byNothing && o.carrier() != byNothing:
		return ChangeCarrier
	case d.fansOut(g):
		return ChangeFanOut
	case d.failsDifferently(g):
		return ChangeError
	}
	for _, k := range [...]timeKind{selfTime, waitTime} {
		switch shifts[k].Verdict {
		case VerdictMore:
			return ChangeSlower
		case VerdictLess:
			return ChangeFaster
		case VerdictNone, VerdictSame:
		}
	}
	return ChangeSame
}

// shift compares a time of the row over the journeys that have the node: a node that became rarer has not become faster.
func (d *differ) shift(g int, k timeKind) *NodeDelta {
	b, o := &d.columns[0], &d.columns[g]
	if d.pairs[g] == nil {
		base, other := d.present(0, k), d.present(g, k)
		return nodeDelta(UnpairedFigures(base, other), other.mean()-base.mean())
	}
	x, y := &d.trees[0].group, &d.trees[g].group
	base, other := Figures{NoInterval: x.noInterval}, Figures{NoInterval: y.noInterval}
	for _, p := range d.pairs[g] {
		if b.counts[p[0]] > 0 && o.counts[p[1]] > 0 {
			base.add(b.times[k][p[0]], x.weights, p[0])
			other.add(o.times[k][p[1]], y.weights, p[1])
		}
	}
	return nodeDelta(PairedFigures(base, other), other.mean()-base.mean())
}

// present returns the values of a time in the journeys that have the row.
func (d *differ) present(g int, k timeKind) Figures {
	c, group := &d.columns[g], &d.trees[g].group
	f := Figures{NoInterval: group.noInterval}
	if c.journeys == len(c.counts) {
		f.Values, f.Weights = c.times[k], group.weights
		return f
	}
	for i, v := range c.times[k] {
		if c.counts[i] > 0 {
			f.add(v, group.weights, int32(i))
		}
	}
	return f
}

// lost reports that group g has less of the row than another group because spans are missing: all of its journeys miss
// some, or those that miss none have as much as the other group's.
func (d *differ) lost(g, other int) bool {
	tree, than := d.trees[g], d.trees[other]
	n, m := len(tree.group.Journeys), len(than.group.Journeys)
	if n == 0 {
		return len(tree.group.left) > 0 && d.columns[other].count > 0
	}
	if tree.whole == n || m == 0 {
		return false
	}
	has, wants := float64(d.columns[g].count)/float64(n), float64(d.columns[other].count)/float64(m)
	if has >= wants {
		return false
	}
	if tree.whole == 0 {
		return true
	}
	if than.whole > 0 {
		wants = float64(d.columns[other].whole) / float64(than.whole)
	}
	return float64(d.columns[g].whole)/float64(tree.whole) >= wants
}

// fansOut reports that more or fewer journeys have the row than chance explains, or that a journey has it more or less often:
// the medians differ, beyond chance where there are enough journeys for an interval.
func (d *differ) fansOut(g int) bool {
	b, o := &d.columns[0], &d.columns[g]
	if !d.bare(g) && sharesDiffer(b.journeys, len(b.counts), o.journeys, len(o.counts)) {
		return true
	}
	p, q := &d.trees[0].group, &d.trees[g].group
	base, other := Figures{NoInterval: p.noInterval}, Figures{NoInterval: q.noInterval}
	var x Difference
	if d.pairs[g] != nil {
		for _, pair := range d.pairs[g] {
			base.add(b.counts[pair[0]], p.weights, pair[0])
			other.add(o.counts[pair[1]], q.weights, pair[1])
		}
		x = PairedFigures(base, other)
	} else {
		base.Values, base.Weights, other.Values, other.Weights = b.counts, p.weights, o.counts, q.weights
		x = UnpairedFigures(base, other)
	}
	if x.Low == nil {
		return x.Delta != nil && *x.Delta != 0
	}
	return x.Verdict != VerdictNone
}

// bare reports that nothing can be said of how sure a difference is.
func (d *differ) bare(g int) bool {
	return d.trees[0].group.noInterval != "" || d.trees[g].group.noInterval != ""
}

// failsDifferently reports errors on one side only, or shares of errors that differ.
func (d *differ) failsDifferently(g int) bool {
	b, o := &d.columns[0], &d.columns[g]
	if b.errors == 0 || o.errors == 0 {
		return b.errors != o.errors
	}
	return !d.bare(g) && sharesDiffer(min(b.errors, b.count), b.count, min(o.errors, o.count), o.count) // a call may have several servers
}

// sharesDiffer reports that the 95 % interval of the difference of two shares excludes 0: the hybrid of two Wilson intervals
// (Newcombe, Statistics in Medicine 17, 1998, method 10).
func sharesDiffer(a, of, b, than int) bool {
	p, pLow, pHigh := wilson(a, of)
	q, qLow, qHigh := wilson(b, than)
	low := q - p - math.Hypot(q-qLow, pHigh-p)
	high := q - p + math.Hypot(qHigh-q, p-pLow)
	return low > 0 || high < 0
}

// wilson returns a share and its 95 % interval.
func wilson(k, n int) (share, low, high float64) {
	const z = 1.959964
	m := float64(n)
	share = float64(k) / m
	middle := share + z*z/(2*m)
	half := z * math.Sqrt(share*(1-share)/m+z*z/(4*m*m))
	return share, (middle - half) / (1 + z*z/m), (middle + half) / (1 + z*z/m)
}
