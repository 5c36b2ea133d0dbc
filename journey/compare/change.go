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
	case failsDifferently(b, o):
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
	var base, other []float64
	if d.pairs[g] != nil {
		for _, p := range d.pairs[g] {
			if b.counts[p[0]] > 0 && o.counts[p[1]] > 0 {
				base, other = append(base, b.times[k][p[0]]), append(other, o.times[k][p[1]])
			}
		}
		return nodeDelta(Paired(base, other), mean(other)-mean(base))
	}
	base, other = b.present(k), o.present(k)
	return nodeDelta(Unpaired(base, other), mean(other)-mean(base))
}

// present returns the values of a time in the journeys that have the row.
func (c *column) present(k timeKind) []float64 {
	if c.journeys == len(c.counts) {
		return c.times[k]
	}
	values := make([]float64, 0, c.journeys)
	for i, v := range c.times[k] {
		if c.counts[i] > 0 {
			values = append(values, v)
		}
	}
	return values
}

// lost reports that group g has less of the row than another group because spans are missing: all of its journeys miss
// some, or those that miss none have as much as the other group's.
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

// fansOut reports that more or fewer journeys have the row than chance explains, or that a journey has it more or less often:
// the medians differ, beyond chance where there are enough journeys for an interval.
func (d *differ) fansOut(g int) bool {
	b, o := &d.columns[0], &d.columns[g]
	if sharesDiffer(b.journeys, len(b.counts), o.journeys, len(o.counts)) {
		return true
	}
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
	return x.Verdict != VerdictNone
}

// failsDifferently reports errors on one side only, or shares of errors that differ.
func failsDifferently(b, o *column) bool {
	if b.errors == 0 || o.errors == 0 {
		return b.errors != o.errors
	}
	return sharesDiffer(min(b.errors, b.count), b.count, min(o.errors, o.count), o.count) // a call may have several servers
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
