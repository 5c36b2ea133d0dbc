package verdict

import (
	"cmp"
	"slices"
)

// Correct takes verdicts back that are there by chance, since among many sentences some intervals miss: with it the probability
// of any wrong holds or does not hold in the whole ledger is at most 5 %. It returns the verdicts in their order; what is taken
// back is not shown, and Alone says what it was. Verdicts that are not shown or not valid count, too.
//
// Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979. A sentence of k parts holds at the level of its
// weakest part, and does not hold at k times the level of its strongest refutation.
func Correct(ledger []Verdict) []Verdict {
	type entry struct {
		at   int
		miss float64
	}
	entries := make([]entry, len(ledger))
	for i, v := range ledger {
		entries[i] = entry{i, v.leastMiss()}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.miss, b.miss) })
	corrected := make([]Verdict, len(ledger))
	rejected := true
	for rank, e := range entries {
		level := (1 - confidence) / float64(len(ledger)-rank)
		rejected = rejected && e.miss <= level
		v := ledger[e.at]
		v.Among = len(ledger)
		if alone := v.Word; alone == Holds || alone == DoesNotHold {
			v = v.at(1 - level/alone.parts(len(v.Parts)))
			if !rejected {
				v.Word, v.Alone = NotShown, alone
			}
		}
		corrected[e.at] = v
	}
	return corrected
}

// leastMiss returns the p-value of a verdict's word; 1 of a verdict that decides nothing.
func (v Verdict) leastMiss() float64 {
	switch v.Word {
	case Holds:
		weakest := 0.0
		for _, p := range v.Parts {
			weakest = max(weakest, p.Estimate.leastMiss(p.Want.contains))
		}
		return weakest
	case DoesNotHold:
		strongest := 1.0
		for _, p := range v.Parts {
			strongest = min(strongest, p.Estimate.leastMiss(p.Want.excludes))
		}
		return min(1, strongest*v.Word.parts(len(v.Parts)))
	case NotShown, NotValid:
	}
	return 1
}

// parts returns over how many parts of a sentence a level is divided: one refuted part of several refutes it, so each of them is a
// chance to err; it holds only when all of them hold.
func (w Word) parts(n int) float64 {
	if w == DoesNotHold {
		return float64(n)
	}
	return 1
}
