package flows

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// longestField is the most characters of a text and of a choice, and largestNumber the largest number, that a body may have.
const (
	longestField  = 10_000
	largestNumber = 1 << 53
)

func (r *reader) readBody(v value) error {
	pairs, err := v.pairs("body")
	if err != nil {
		return err
	}
	if len(pairs) > maxFields {
		return v.wrong("%d fields: use at most %d", len(pairs), maxFields)
	}
	for _, p := range pairs {
		if !fieldName.MatchString(p.key) || slices.Contains(takenFields, p.key) {
			return v.doc.about(p.token, p.value.field, "a field's name has small letters, digits and _, at most 40, a letter first, and is none of %s", strings.Join(takenFields, ", "))
		}
		field, err := readField(p.key, p.value)
		if err != nil {
			return err
		}
		r.flow.Body = append(r.flow.Body, field)
	}
	return nil
}

// readField reads text A..B, one of WORD WORD@SHARE …, or A..B, the last with draw C..D behind it.
func readField(name string, v value) (Field, error) {
	f := Field{Name: name}
	text, err := v.text()
	if err != nil {
		return f, err
	}
	if list, ok := strings.CutPrefix(text, "one of "); ok {
		return f, readChoices(&f, v, strings.Fields(list))
	}
	span, isText := strings.CutPrefix(text, "text ")
	span, draw, drawn := strings.Cut(span, " draw ")
	f.Number = !isText
	low, high, ok := bounds(span)
	if !ok || isText && (drawn || low < 0 || high < 1 || high > longestField) {
		return f, v.wrong("%q: write text 1..100, one of RED GREEN, or 1..1000", cut(text))
	}
	f.Min, f.Max, f.DrawMin, f.DrawMax = low, high, low, high
	if drawn {
		if f.DrawMin, f.DrawMax, ok = bounds(draw); !ok || f.DrawMin < low || f.DrawMax > high {
			return f, v.wrong("%q: what is drawn lies within %d..%d, such as draw %d..%d", cut(text), low, high, low, high)
		}
	}
	return f, nil
}

// bounds reads A..B.
func bounds(text string) (low, high int64, ok bool) {
	a, b, cut := strings.Cut(strings.TrimSpace(text), "..")
	low, err := strconv.ParseInt(a, 10, 64)
	high, err2 := strconv.ParseInt(b, 10, 64)
	return low, high, cut && err == nil && err2 == nil && low <= high && low > -largestNumber && high < largestNumber
}

// readChoices reads words with shares. Those without one share what the others leave.
func readChoices(f *Field, v value, list []string) error {
	left, bare := 1.0, 0
	for _, item := range list {
		word, text, shared := strings.Cut(item, "@")
		if word == "" || len(word) > longestField || slices.Contains(f.Choices, word) {
			return v.wrong("%q: name each choice once", cut(item))
		}
		share := math.NaN()
		if shared {
			var err error
			if share, err = strconv.ParseFloat(text, 64); err != nil || !(share > 0 && share <= 1) {
				return v.wrong("%q: a share is over 0 and up to 1, such as %s@0.5", cut(item), cut(word))
			}
			left -= share
		} else {
			bare++
		}
		f.Choices, f.Shares = append(f.Choices, word), append(f.Shares, share)
	}
	const rounding = 1e-9
	switch {
	case len(f.Choices) == 0:
		return v.wrong("there is no choice: write one of RED GREEN")
	case left < -rounding || bare == 0 && left > rounding || bare > 0 && left <= rounding:
		return v.wrong("the shares do not add up to 1, with something left for each choice without one")
	}
	for i, share := range f.Shares {
		if math.IsNaN(share) {
			f.Shares[i] = left / float64(bare)
		}
	}
	return nil
}
