package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limit bounds by how much a measure may exceed that of the base.
type Limit struct {
	Measure  string  // the Name of a measure
	Quantile float64 // 0.95 is the 95th percentile; 0 stands for the median
	Root     string  // only journeys whose root contains this text; "" means those of each root
	Amount   Amount
}

// ParseLimit reads MEASURE[ pN][@ROOT]>AMOUNT: completion>5%, caller wait p95>20ms, queue_wait_ms@POST /orders>10%. The
// measure is one of those given, or of Measures without any, by its name in text or in JSON.
func ParseLimit(text string, measures ...Measure) (Limit, error) {
	if len(measures) == 0 {
		measures = Measures()
	}
	wrong := func(format string, args ...any) (Limit, error) {
		return Limit{}, fmt.Errorf("limit %q: %s", text, fmt.Sprintf(format, args...))
	}
	at := strings.LastIndexByte(text, '>')
	if at < 0 {
		return wrong("a measure, > and an amount are expected, such as completion>5%%")
	}
	amount, err := ParseAmount(text[at+1:])
	if err != nil {
		return wrong("%v", err)
	}
	name, root, named := strings.Cut(text[:at], "@")
	l := Limit{Root: strings.TrimSpace(root), Amount: amount}
	if named && l.Root == "" {
		return wrong("a text of a root is expected after @, such as completion@POST /orders>5%%")
	}
	if name, l.Quantile, err = cutQuantile(strings.TrimSpace(name)); err != nil {
		return wrong("%v", err)
	}
	i := slices.IndexFunc(measures, func(m Measure) bool { return m.Name == name || MeasureWords(m.Name) == MeasureWords(name) })
	if i < 0 {
		var known []string
		for _, m := range measures {
			known = append(known, MeasureWords(m.Name))
		}
		return wrong("there is no measure %q: use one of %s", name, strings.Join(known, ", "))
	}
	l.Measure = measures[i].Name
	if !amount.Share && !strings.HasSuffix(l.Measure, "_ms") {
		return wrong("%s is not a time: use a percentage", MeasureWords(l.Measure))
	}
	return l, nil
}

// cutQuantile takes a quantile such as p95 off the end of a measure's name.
func cutQuantile(name string) (rest string, quantile float64, err error) {
	at := strings.LastIndexAny(name, " .")
	word := name[at+1:]
	if at < 0 || len(word) < 2 || word[0] != 'p' || strings.Trim(word[1:], "0123456789") != "" {
		return name, 0, nil
	}
	n, err := strconv.Atoi(word[1:])
	if err != nil || n < 1 || n > 99 {
		return "", 0, fmt.Errorf("there is no percentile %s: use p1 to p99", word)
	}
	if n == 50 {
		n = 0
	}
	return strings.TrimSpace(name[:at]), float64(n) / 100, nil
}

// String writes the limit as ParseLimit reads it.
func (l Limit) String() string {
	text := MeasureWords(l.Measure)
	if l.Quantile > 0 {
		text += fmt.Sprintf(" p%g", l.Quantile*100)
	}
	if l.Root != "" {
		text += "@" + l.Root
	}
	return text + ">" + l.Amount.String()
}

func (l Limit) quantile() float64 {
	if l.Quantile <= 0 || l.Quantile >= 1 {
		return 0.5
	}
	return l.Quantile
}
