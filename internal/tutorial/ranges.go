package tutorial

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var quantity = regexp.MustCompile(`(-?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?) ?(ns|µs|ms|s\b|%|MB|GB)?`)

// units has the factors from each unit to seconds, bytes and shares; a number without a unit stays as it is.
var units = map[string]float64{"": 1, "ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "%": 0.01, "MB": 1e6, "GB": 1e9}

// Check finds the number that a range is about in the output. It returns an error when the number lies outside of the range,
// or is not there.
func (r Range) Check(printed string) error {
	text, err := r.cell(printed)
	if err != nil {
		return err
	}
	value, ok := parseQuantity(text)
	low, okLow := parseQuantity(r.Low)
	high, okHigh := parseQuantity(r.High)
	if !ok || !okLow || !okHigh {
		return fmt.Errorf("no number in %q, %q or %q", text, r.Low, r.High)
	}
	if value < low || value > high {
		return fmt.Errorf("%s is %s, which is not %s to %s", r.name(), strings.TrimSpace(text), r.Low, r.High)
	}
	return nil
}

func (r Range) name() string {
	if r.Column == "" {
		return r.Row
	}
	return r.Row + " of " + r.Column
}

// cell returns the text after the row's name; in a table, the text below the column's name.
func (r Range) cell(printed string) (string, error) {
	header := ""
	for line := range strings.Lines(printed) {
		line = strings.TrimRight(line, "\n")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), r.Row)
		switch {
		case !ok && r.Column != "" && columnOf(line, r.Column) > 0:
			header = line
		case ok && r.Column == "":
			return rest, nil
		case ok && header != "":
			runes := []rune(line)
			return string(runes[min(len(runes), columnOf(header, r.Column)):]), nil
		}
	}
	return "", fmt.Errorf("the output has no %s", r.name())
}

// columnOf returns where a word begins in a line, in runes, or -1.
func columnOf(line, word string) int {
	at := regexp.MustCompile(`(?:^|\s)` + regexp.QuoteMeta(word) + `(?:\s|$)`).FindStringIndex(line)
	if at == nil {
		return -1
	}
	begin := at[0] + strings.Index(line[at[0]:], word)
	return utf8.RuneCountInString(line[:begin])
}

func parseQuantity(text string) (float64, bool) {
	m := quantity.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	number, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
	return number * units[m[2]], err == nil
}
