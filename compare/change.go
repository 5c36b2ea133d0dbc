package compare

import "math"

// change says what became of the row at hand, from the first group to group g, which side describes: the first of the
// changes that applies.
func (d *differ) change(g int, side *NodeIn) Change {
	b, o := &d.columns[0], &d.columns[g]
	switch {
	case b.count == 0 && o.count == 0:
		return Same // it is a third group's
	case d.lost(0, g) || d.lost(g, 0):
		return Incomplete
	case b.count == 0:
		return Added
	case o.count == 0:
		return Removed
	case b.carrier() != o.carrier() && b.carrier() != byNothing && o.carrier() != byNothing:
		return CarrierChange
	case d.fansOut(g):
		return FanOutChange
	case failsDifferently(b, o):
		return ErrorChange
	}
	for _, t := range []NodeTime{side.Self, side.Wait} {
		switch t.Delta.Verdict {
		case More:
			return Slower
		case Less:
			return Faster
		case NoVerdict:
		}
	}
	return Same
}

// lost reports that group g has less of the row than another group, and that this is because spans are missing: all of its
// journeys miss some, or those that miss none have no less than the other group's.
func (d *differ) lost(g, other int) bool {
	tree, than := d.trees[g], d.trees[other]
	n, m := len(tree.group.Journeys), len(than.group.Journeys)
	if tree.whole == n || n == 0 || m == 0 {
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

// fansOut reports that a journey has the row more often or less often: the median differs, with an interval where there are
// enough journeys for one.
func (d *differ) fansOut(g int) bool {
	var x Difference
	if d.pairs[g] != nil {
		var base, other []float64
		for _, p := range d.pairs[g] {
			base, other = append(base, d.columns[0].counts[p[0]]), append(other, d.columns[g].counts[p[1]])
		}
		x = Paired(base, other)
	} else {
		x = Unpaired(d.columns[0].counts, d.columns[g].counts)
	}
	if x.Low == nil {
		return x.Delta != nil && *x.Delta != 0
	}
	return x.Verdict != NoVerdict
}

// failsDifferently reports errors on one side only, or shares of errors whose 95 % interval of the difference excludes 0
// (the hybrid of two Wilson intervals: Newcombe, Statistics in Medicine 17, 1998, method 10).
func failsDifferently(b, o *column) bool {
	if b.errors == 0 || o.errors == 0 {
		return b.errors != o.errors
	}
	p, pLow, pHigh := wilson(b.errors, b.count)
	q, qLow, qHigh := wilson(o.errors, o.count)
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
