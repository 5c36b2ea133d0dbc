package flows

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Bounds of what a file may ask for.
const (
	longestTimeout = 10 * time.Minute
	mostAtATime    = 10_000 // workers, calls of a bulkhead, calls that a breaker looks at
	mostQueued     = 100_000
	// MaxPayload is the largest payload: a call or a message has at most 64 KiB, and a quarter of that is left to the unit itself.
	MaxPayload = 48 << 10
)

// policyMembers read the fields of a step that say how it is called and what its service takes.
func (r *reader) policyMembers(row *Row) []member {
	whole := func(to *int, most int, what string) func(value) error {
		return number(1, float64(most), func(n float64) { *to = int(n) }, fmt.Sprintf("a number of %s from 1 to %d", what, most))
	}
	return []member{
		{"timeout", func(v value) error { return readTimeout(&row.Timeout, v) }},
		{"budget", func(v value) error { return readBudget(&row.Budget, v) }},
		{"breaker", func(v value) (err error) { row.Breaker, err = readBreaker(v); return err }},
		{"bulkhead", whole(&row.Bulkhead, mostAtATime, "calls")},
		{"workers", whole(&row.Workers, mostAtATime, "workers")},
		{"queue", whole(&row.Queue, mostQueued, "places")},
		{"payload", func(v value) error { return readPayload(&row.Payload, v) }},
		{"undo", func(v value) error { return r.readUndo(row, v) }},
	}
}

// readTimeout reads a duration over 0.
func readTimeout(to *time.Duration, v value) error {
	if err := durationUpTo(longestTimeout, to)(v); err != nil {
		return err
	}
	if *to == 0 {
		return v.wrong("a timeout of 0 lets no call begin: use a duration over 0, or leave it out")
	}
	return nil
}

// readBudget reads a share in percent, or none.
func readBudget(to *float64, v value) error {
	text, err := v.text()
	if err != nil {
		return err
	}
	if text == "none" {
		*to = 1
		return nil
	}
	percent, ok := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(percent, 64)
	if !ok || err != nil || !(n > 0 && n < 100) {
		return v.wrong("%q: say which share of the calls may be retries, such as 10%%, or none for no budget", cut(text))
	}
	*to = n / 100
	return nil
}

var breakerForm = regexp.MustCompile(`^([0-9.]+) *% of ([0-9]+)(?:,| for) *(\S+)$`)

// readBreaker reads SHARE% of CALLS, OPEN.
func readBreaker(v value) (*Breaker, error) {
	text, err := v.text()
	if err != nil {
		return nil, err
	}
	const want = `write SHARE%% of CALLS, DURATION, such as "50%% of 20, 1s": open for 1s when half of the last 20 calls have failed`
	parts := breakerForm.FindStringSubmatch(text)
	if parts == nil {
		return nil, v.wrong("%q: "+want, cut(text))
	}
	percent, err := strconv.ParseFloat(parts[1], 64)
	if err != nil || !(percent > 0 && percent <= 100) {
		return nil, v.wrong("%s%%: use a share over 0 and up to 100%%", cut(parts[1]))
	}
	of, err := strconv.Atoi(parts[2])
	if err != nil || of < 1 || of > mostAtATime {
		return nil, v.wrong("of %s: look at 1 to %d calls", cut(parts[2]), mostAtATime)
	}
	open, err := time.ParseDuration(parts[3])
	if err != nil || open <= 0 || open > longestTimeout {
		return nil, v.wrong("%q: say how long it stays open, such as 1s, up to %v", cut(parts[3]), longestTimeout)
	}
	return &Breaker{Share: percent / 100, Of: of, Open: open}, nil
}

// units of a payload.
var units = []struct {
	name  string
	bytes int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"B", 1}}

// readPayload reads a size with its unit.
func readPayload(to *int, v value) error {
	text, err := v.text()
	if err != nil {
		return err
	}
	for _, unit := range units {
		digits, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(digits))
		if err != nil || n < 1 {
			break
		}
		if n > MaxPayload/unit.bytes {
			return v.wrong("%s: a call or a message takes up to %d KiB of payload: send less, or put it in a store and send its address", cut(text), MaxPayload>>10)
		}
		*to = n * unit.bytes
		return nil
	}
	return v.wrong("%q: say a size with its unit, such as 4KiB or 512B", cut(text))
}

// sizeText is a size as a file has it.
func sizeText(bytes int) string {
	if bytes%(1<<10) == 0 {
		return fmt.Sprintf("%dKiB", bytes>>10)
	}
	return fmt.Sprintf("%dB", bytes)
}

// readUndo reads SERVICE.Verb, or {SERVICE.Verb: {wait: 3ms}}.
func (r *reader) readUndo(row *Row, v value) error {
	undo := &Undo{Cost: Cost{Spread: DefaultSpread}}
	name, err := v.text()
	if err != nil { // a mapping of one step
		pairs, err := v.pairs("undo")
		if err != nil || len(pairs) != 1 {
			return v.wrong("name the one step that takes this one back, such as {%s.Undo: {wait: 3ms}}", row.Step.Service())
		}
		name = pairs[0].key
		err = pairs[0].value.read("an undo", costMembers(&undo.Cost)...)
		if err != nil {
			return err
		}
	}
	undo.Step = Step(name)
	switch {
	case !stepName.MatchString(name):
		return v.wrong("%q is no step: write {SERVICE.Verb: {wait: 3ms}}, at most 40 letters and digits each, such as {%s.Undo: {wait: 3ms}}", cut(name), row.Step.Service())
	case undo.Step.Service() != row.Step.Service():
		return v.wrong("%s cannot take back what %s has done: let a step of %[2]s do it, such as %[2]s.%[3]s", undo.Step.Service(), row.Step.Service(), undo.Step.Verb())
	case r.steps[undo.Step] != nil:
		return v.wrong("%s is a step of the flow itself: an undo has a name of its own", undo.Step)
	}
	row.Undo = undo
	return nil
}

// checkPolicies finds limits of one service that differ, payloads of one message that do, an undo that two steps share, and what the entry
// cannot have.
func (r *reader) checkPolicies(doc *document) error {
	for i, row := range r.flow.Rows {
		entry := i == 0
		switch {
		case entry && row.Undo != nil:
			return r.at(doc, row.Step, "the entry is not taken back: a unit that fails stays in the accounts as failed: leave undo out")
		case entry && row.Timeout > 0 && row.Timeout < time.Millisecond:
			return r.at(doc, row.Step, "timeout %v: give the entry at least 1ms", row.Timeout)
		}
		for _, before := range r.flow.Rows[:i] {
			switch {
			case before.Step.Service() == row.Step.Service() && before.Workers > 0 && row.Workers > 0 && before.Workers != row.Workers,
				before.Step.Service() == row.Step.Service() && before.Queue > 0 && row.Queue > 0 && before.Queue != row.Queue:
				return r.at(doc, row.Step, "workers and queue are of the service, and %s says others for %s: say them once", before.Step, row.Step.Service())
			case row.Message != "" && before.Message == row.Message && before.Payload != row.Payload:
				return r.at(doc, row.Step, "%s shares its message %s with %s: give both the same payload", row.Step, row.Message, before.Step)
			case row.Undo != nil && before.Undo != nil && strings.EqualFold(string(before.Undo.Step), string(row.Undo.Step)):
				return r.at(doc, row.Step, "%s takes back %s already: give this one an undo of its own", row.Undo.Step, before.Step)
			}
		}
	}
	return nil
}
