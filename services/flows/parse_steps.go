package flows

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// longestWait is the longest median that a step may wait for.
const longestWait = time.Minute

// mostRounds is the most CPU time of a step, in rounds: about a second.
const mostRounds = 1_000_000

func (r *reader) readSteps(v value) error {
	pairs, err := v.pairs("steps")
	if err != nil {
		return err
	}
	if len(pairs) > MaxSteps {
		return v.doc.about(pairs[MaxSteps].token, "steps", "%d steps: use at most %d", len(pairs), MaxSteps)
	}
	for _, p := range pairs {
		if !stepName.MatchString(p.key) {
			return v.doc.about(p.token, v.field, "%q is no step: write SERVICE.Verb, at most 40 letters and digits each, such as payment.Charge", cut(p.key))
		}
		if slices.Contains(notServices, Step(p.key).Service()) {
			return v.doc.about(p.token, p.value.field, "%s is no service of a flow's steps: choose another name", Step(p.key).Service())
		}
		r.steps[Step(p.key)] = p.token
	}
	for _, p := range pairs {
		row, err := r.readStep(Step(p.key), p.value)
		if err != nil {
			return err
		}
		r.flow.Rows = append(r.flow.Rows, row)
	}
	return nil
}

// deadLetters is behind a topic's name in that of its dead letters.
const deadLetters = ".dlq"

// readTopic reads the name of a topic.
func readTopic(into *string, v value) error {
	if err := named(into, topicName, "no topic has that name: use letters, digits, dots and dashes, at most 120, such as order.placed")(v); err != nil {
		return err
	}
	if strings.HasSuffix(*into, deadLetters) {
		return v.wrong("%q: a topic's dead letters have a name that ends in %s: choose another", *into, deadLetters)
	}
	return nil
}

func (r *reader) readStep(step Step, v value) (Row, error) {
	row := Row{Step: step, Share: 1, Cost: Cost{Spread: DefaultSpread}}
	err := v.read("a step", slices.Concat([]member{
		{"after", func(v value) error { return r.readAfter(&row, v) }},
		{"message", func(v value) error { return readTopic(&row.Message, v) }},
	}, costMembers(&row.Cost), []member{
		{"when", func(v value) error { return r.readWhen(&row, v) }},
		{"share", number(0, 1, func(n float64) { row.Share = n }, "a share over 0 and up to 1")},
		{"retry", readRetry(&row.Retry)},
	}, r.policyMembers(&row))...)
	if err == nil && row.Share == 0 {
		err = v.wrong("share: use a number over 0, or leave the step out")
	}
	return row, err
}

// costMembers read what a step costs.
func costMembers(c *Cost) []member {
	return []member{
		{"wait", duration(&c.Wait)},
		{"cpu", number(0, mostRounds, func(n float64) { c.CPU = int(n) }, "a number of rounds from 0 to 1000000")},
		{"spread", number(0, 2, func(n float64) { c.Spread = n }, "a number from 0 to 2")},
		{"quantiles", func(v value) error { return readQuantiles(c, v) }},
	}
}

func (r *reader) readAfter(row *Row, v value) error {
	values, err := v.texts()
	if err != nil {
		return err
	}
	for _, one := range values {
		text, err := one.text()
		if err != nil {
			return err
		}
		step := Step(text)
		switch {
		case r.steps[step] == nil:
			return one.wrong("%s", unknown("step", text, r.sortedSteps()))
		case step == row.Step:
			return one.wrong("%s comes after itself: name another step, or leave after out", step)
		case slices.Contains(row.After, step):
			return one.wrong("%s is there twice: name it once", step)
		}
		row.After = append(row.After, step)
	}
	return nil
}

// readWhen reads FIELD = VALUE.
func (r *reader) readWhen(row *Row, v value) error {
	text, err := v.text()
	if err != nil {
		return err
	}
	name, want, ok := strings.Cut(text, "=")
	name, want = strings.TrimSpace(name), strings.TrimSpace(want)
	if !ok || want == "" {
		return v.wrong("%q: write FIELD = VALUE, such as sku = kettle", cut(text))
	}
	i := slices.IndexFunc(r.flow.Body, func(f Field) bool { return f.Name == name })
	if i < 0 {
		var names []string
		for _, f := range r.flow.Body {
			names = append(names, f.Name)
		}
		if len(names) == 0 {
			return v.wrong("the flow has no body to look at: give it one above its steps, such as body: {%s: one of %s other}", cut(name), cut(want))
		}
		return v.wrong("%s", unknown("field of the body", name, names))
	}
	if field := r.flow.Body[i]; field.Choices != nil && !slices.Contains(field.Choices, want) {
		return v.wrong("%s", unknown(name, want, field.Choices))
	}
	row.When = &Condition{Field: name, Value: want}
	return nil
}

// readQuantiles reads [p50, p90, p99] of the waiting.
func readQuantiles(c *Cost, v value) error {
	values, err := v.texts()
	if err != nil {
		return err
	}
	if len(values) != 3 {
		return v.wrong("use three durations, the p50, p90 and p99, such as [6ms, 9ms, 20ms]")
	}
	c.Quantiles = make([]time.Duration, 3)
	for i, one := range values {
		if err := duration(&c.Quantiles[i])(one); err != nil {
			return err
		}
		if c.Quantiles[i] <= 0 || i > 0 && c.Quantiles[i] < c.Quantiles[i-1] {
			return one.wrong("quantiles are over 0 and grow: p50, p90, p99")
		}
	}
	c.Wait = c.Quantiles[0]
	return nil
}

// duration reads a duration with its unit, up to longestWait.
func duration(to *time.Duration) func(value) error { return durationUpTo(longestWait, to) }

// durationUpTo reads a duration with its unit.
func durationUpTo(longest time.Duration, to *time.Duration) func(value) error {
	return func(v value) error {
		text, err := v.text()
		if err != nil {
			return err
		}
		if *to, err = time.ParseDuration(text); err != nil {
			if _, bare := strconv.ParseFloat(text, 64); bare == nil {
				return v.wrong("%s: say the unit, such as %sms", cut(text), cut(text))
			}
			return v.wrong("%q: use a duration such as 6ms", cut(text))
		}
		if *to < 0 || *to > longest {
			return v.wrong("%v: use 0 to %v", *to, longest)
		}
		return nil
	}
}

// number reads a number between two bounds. Comparisons are written so that NaN fails them.
func number(low, high float64, set func(float64), want string) func(value) error {
	return func(v value) error {
		text, err := v.text()
		if err != nil {
			return err
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= low && n <= high) || high > 1e3 && n != math.Trunc(n) {
			return v.wrong("%q: use %s", cut(text), want)
		}
		set(n)
		return nil
	}
}
