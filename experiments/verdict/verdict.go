package verdict

import (
	"fmt"
	"strings"
)

// Word is a verdict.
type Word string

// The verdicts.
const (
	Holds       Word = "holds"
	DoesNotHold Word = "does not hold"
	NotShown    Word = "not shown" // the interval lies on both sides of a line
	NotValid    Word = "not valid" // a gate failed: the figures say nothing
)

// confidence of a verdict that stands alone.
const confidence = 0.95

// Part is a simple sentence: a figure, and where it must lie. A sentence holds when all its parts do.
type Part struct {
	Name     string
	Estimate Estimate
	Want     Region
}

// Judged is a part with its interval at the verdict's confidence.
type Judged struct {
	Part
	Low, High float64
	Word      Word
}

// Verdict is the word on a sentence and what it stands on.
type Verdict struct {
	Word       Word
	Confidence float64  // at which the parts are judged
	Parts      []Judged // what was measured; under a failed gate without a meaning
	Gates      []Gate   // all that were checked
	Alone      Word     // the word before a correction over a ledger took it back; else ""
	Among      int      // how many verdicts were corrected together; 0 for one that stands alone
}

// Judge gives the verdict on a sentence: it holds when the whole interval of each part lies in its region, does not hold when
// that of one part lies outside, else it is not shown. A failed gate makes it not valid, whatever the parts say.
func Judge(gates []Gate, parts ...Part) Verdict {
	v := Verdict{Gates: gates}
	for _, p := range parts {
		v.Parts = append(v.Parts, Judged{Part: p})
	}
	return v.at(confidence)
}

// at judges the parts at a confidence.
func (v Verdict) at(confidence float64) Verdict {
	parts := make([]Judged, len(v.Parts))
	held, refuted := 0, 0
	for i, p := range v.Parts {
		p.Low, p.High = p.Estimate.Interval(confidence)
		p.Word = p.Want.judge(p.Low, p.High)
		switch p.Word {
		case Holds:
			held++
		case DoesNotHold:
			refuted++
		case NotShown, NotValid:
		}
		parts[i] = p
	}
	v.Confidence, v.Parts = confidence, parts
	switch {
	case len(failed(v.Gates)) > 0:
		v.Word = NotValid
	case refuted > 0:
		v.Word = DoesNotHold
	case held == len(parts) && held > 0:
		v.Word = Holds
	default:
		v.Word = NotShown
	}
	return v
}

// Need is what would settle a verdict that is not shown, if the figures stayed as they are: about one more experiment in two of
// that size would settle it.
type Need struct {
	Part string // the part that decides
	N    int    // units, with those that there are
	Unit string
}

// Settle returns what would settle a verdict that is not shown. It returns false for other verdicts, and when no number would do:
// a figure that lies on its line stays there.
func (v Verdict) Settle() (Need, bool) {
	if v.Word != NotShown || len(v.Parts) == 0 {
		return Need{}, false
	}
	var most, refuting Need
	known := true
	for _, p := range v.Parts {
		if p.Word != NotShown {
			continue
		}
		n, ok := p.Estimate.enough(p.Want, 1-v.Confidence)
		need := Need{Part: p.Name, N: n, Unit: p.Estimate.Unit}
		switch {
		case !ok:
			known = false
		case p.Want.excludes(p.Estimate.Value, p.Estimate.Value):
			if refuting.N == 0 || n < refuting.N {
				refuting = need
			}
		case n > most.N:
			most = need
		}
	}
	if refuting.N > 0 {
		return refuting, true
	}
	return most, known && most.N > 0
}

// Why says in one line what the verdict stands on, or what would settle it.
func (v Verdict) Why() string {
	switch v.Word {
	case NotValid:
		var lines []string
		for _, g := range failed(v.Gates) {
			lines = append(lines, fmt.Sprintf("%s: %s; %s", g.Name, g.Measured, g.Change))
		}
		return strings.Join(lines, "; ")
	case Holds, DoesNotHold:
		return v.list(v.Word)
	case NotShown:
	}
	if len(v.Parts) == 0 {
		return "nothing was measured"
	}
	text := v.list(NotShown)
	if v.Alone != "" {
		text = fmt.Sprintf("%s alone, but not among %d verdicts: ", v.Alone, v.Among) + text
	}
	if need, ok := v.Settle(); ok {
		return fmt.Sprintf("%s; %d %s would settle it, if the figures stay as they are", text, need.N, need.Unit)
	}
	return text + "; no number of repetitions would settle it, if the figures stay as they are"
}

// list says the figures of the parts that decide.
func (v Verdict) list(word Word) string {
	var lines []string
	for _, p := range v.Parts {
		if p.Word == word {
			lines = append(lines, fmt.Sprintf("%s is %.4g, %.4g to %.4g, want %s", p.Name, p.Estimate.Value, p.Low, p.High, p.Want))
		}
	}
	return strings.Join(lines, "; ")
}
