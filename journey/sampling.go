package journey

import (
	"strconv"
	"strings"
)

// Weight returns how many journeys this one stands for, by the threshold that its sampler left in the tracestate (ot=th:…), and
// false where it left none: then it is 1.
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

// weightOf reads the threshold of a tracestate: 1 to 14 hexadecimal digits, right-padded with zeros to 56 bits. Of 2^56 random
// values those from the threshold on were sampled.
func weightOf(state string) (float64, bool) {
	if state == "" {
		return 1, false
	}
	for member := range strings.SplitSeq(state, ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(member), "ot=")
		if !ok {
			continue
		}
		for field := range strings.SplitSeq(value, ";") {
			digits, ok := strings.CutPrefix(field, "th:")
			if !ok || len(digits) == 0 || len(digits) > 14 {
				continue
			}
			threshold, err := strconv.ParseUint(digits+strings.Repeat("0", 14-len(digits)), 16, 64)
			if err == nil {
				const all = 1 << 56
				return all / float64(all-threshold), true
			}
		}
	}
	return 1, false
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
	Weighted bool // a journey has a threshold
	Differ   bool // weights differ between journeys
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
	case x.Tail && !x.Weighted:
		return "a tail sampler chose its journeys by what happened in them, and left no thresholds", true
	}
	return "", false
}
