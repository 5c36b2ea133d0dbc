package journey

import (
	"strconv"
	"strings"
)

// Weight returns how many journeys this one stands for, by what its sampler left in the tracestate, and false where it left
// nothing: then it is 1. Samplers leave a threshold (ot=th:…) or, by OpenTelemetry's earlier way, a power of two (ot=p:…), of
// which 63 says that the journey stands for none: it was taken for another reason than its share.
func (j *Journey) Weight() (float64, bool) {
	if len(j.spans) == 0 {
		return 1, false
	}
	if w, ok := weightOf(j.set.Span(j.first()).TraceState); ok {
		return w, true
	}
	for _, i := range j.spans {
		if w, ok := weightOf(j.set.Span(i).TraceState); ok {
			return w, true
		}
	}
	return 1, false
}

// Weights returns how many journeys each stands for, and nil where all stand for the same number.
func Weights(journeys []*Journey) []float64 {
	list := make([]float64, len(journeys))
	differ := false
	for i, j := range journeys {
		list[i], _ = j.Weight()
		differ = differ || list[i] != list[0]
	}
	if !differ {
		return nil
	}
	return list
}

// weightOf reads OpenTelemetry's member of a tracestate. A threshold goes before a power of two.
func weightOf(state string) (float64, bool) {
	if state == "" {
		return 1, false
	}
	for member := range strings.SplitSeq(state, ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(member), "ot=")
		if !ok {
			continue
		}
		if w, ok := thresholdWeight(field(value, "th:")); ok {
			return w, true
		}
		if w, ok := powerWeight(field(value, "p:"), field(value, "r:")); ok {
			return w, true
		}
	}
	return 1, false
}

// field returns what stands behind a key in a value of fields that semicolons part, "" when the key is not there.
func field(value, key string) string {
	for f := range strings.SplitSeq(value, ";") {
		if rest, ok := strings.CutPrefix(f, key); ok {
			return rest
		}
	}
	return ""
}

// thresholdWeight reads a threshold: 1 to 14 hexadecimal digits, right-padded with zeros to 56 bits. Of 2^56 random values those
// from the threshold on were sampled.
func thresholdWeight(digits string) (float64, bool) {
	if len(digits) == 0 || len(digits) > 14 {
		return 1, false
	}
	threshold, err := strconv.ParseUint(digits+strings.Repeat("0", 14-len(digits)), 16, 64)
	if err != nil {
		return 1, false
	}
	const all = 1 << 56
	return all / float64(all-threshold), true
}

// noShare is the power that stands for a probability of zero.
const noShare = 63

// powerWeight reads p: one of 2^p was sampled. R is how often the trace's random value can be halved, and a sampler takes a trace
// only when p is at most that: another p is not this trace's.
func powerWeight(p, r string) (float64, bool) {
	power, err := strconv.ParseUint(p, 10, 8)
	switch {
	case err != nil || power > noShare:
		return 1, false
	case power == noShare:
		return 0, true
	}
	if random, err := strconv.ParseUint(r, 10, 8); err == nil && power > random {
		return 1, false
	}
	return float64(uint64(1) << power), true
}

// IsTailMark reports whether an attribute of a span or its scope is one of a tail sampler, which decides by what happened in a
// trace, when it is over.
func IsTailMark(key string) bool {
	switch key {
	case "tailsampling.policy", "tailsampling.composite_policy", "tailsampling.cached_decision", "meta.refinery.reason":
		return true
	}
	return false
}

// Sampling is what is known of how journeys were chosen.
type Sampling struct {
	Weighted bool // a journey says how many it stands for
	Differ   bool // weights differ between journeys
	Zero     bool // each journey stands for none
	Tail     bool // a span has a tail sampler's mark
}

// Sampling returns how the journeys of the set were chosen, as far as their spans show: O(n).
func (s *Set) Sampling() Sampling { return SamplingOf(s.Journeys()) }

// SamplingOf returns how journeys were chosen, as far as their spans show: O(n).
func SamplingOf(journeys []*Journey) Sampling {
	var x Sampling
	first := 0.0
	for k, j := range journeys {
		w, ok := j.Weight()
		x.Weighted = x.Weighted || ok
		if k == 0 {
			first = w
		}
		x.Differ = x.Differ || w != first
		x.Tail = x.Tail || j.hasTailMark()
	}
	x.Zero = len(journeys) > 0 && !x.Differ && first == 0
	return x
}

func (j *Journey) hasTailMark() bool {
	for _, i := range j.spans {
		for _, a := range j.set.Span(i).Attributes {
			if IsTailMark(a.Key) {
				return true
			}
		}
	}
	return false
}

// NoInterval reports whether no interval can be given for figures of such a set, and why.
func (x Sampling) NoInterval() (reason string, refused bool) {
	switch {
	case x.Differ:
		return "its journeys were sampled with different weights", true
	case x.Zero:
		return "its journeys stand for no others: each was taken for another reason than its share (ot=p:63)", true
	case x.Tail && !x.Weighted:
		return "a tail sampler chose its journeys by what happened in them, and left no thresholds", true
	}
	return "", false
}
