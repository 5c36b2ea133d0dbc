package flows

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Retry says how a step that has failed is tried again. The zero value says that it is not.
type Retry struct {
	Times   int           // the most attempts behind the first one
	Within  time.Duration // no attempt begins later than this after the first one began
	Backoff time.Duration // the most that is waited before the second attempt; twice as much before each further one
}

// Bounds and defaults of a retry: a storm of attempts cannot grow without an end.
const (
	mostRetries    = 20
	longestWithin  = time.Minute
	longestBackoff = 10 * time.Second // of one wait, also after many attempts
	defaultWithin  = 2 * time.Second
	defaultBackoff = 50 * time.Millisecond
)

// RetryExample is a retry as a file has it.
const RetryExample = "3 within 2s, backoff 50ms"

// IsZero tells that nothing is tried again.
func (r Retry) IsZero() bool { return r.Times == 0 }

// String is the retry as a file has it; "" for none.
func (r Retry) String() string {
	if r.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d within %v, backoff %v", r.Times, r.Within, r.Backoff)
}

// Pause is how long to wait before an attempt: the second, or a later one. It is drawn evenly from 0 to a bound that doubles with each
// attempt (full jitter), so that those who failed together do not come again together.
func (r Retry) Pause(attempt int, from *rand.Rand) time.Duration {
	bound := float64(r.Backoff) * math.Pow(2, float64(max(0, attempt-2)))
	return time.Duration(from.Float64() * min(bound, float64(longestBackoff)))
}

// Next tells whether there is an attempt after the given one, counted from 1, that ended so long after the first began, and how long to wait
// for it.
func (r Retry) Next(attempt int, since time.Duration, from *rand.Rand) (pause time.Duration, again bool) {
	if attempt > r.Times {
		return 0, false
	}
	pause = r.Pause(attempt+1, from)
	return pause, since+pause <= r.Within
}

// readRetry reads TIMES within DURATION, backoff DURATION.
func readRetry(to *Retry) func(value) error {
	return func(v value) error {
		text, err := v.text()
		if err != nil {
			return err
		}
		bounds, backoff, hasBackoff := strings.Cut(text, ",")
		words := strings.Fields(bounds)
		r := Retry{Within: defaultWithin, Backoff: defaultBackoff}
		switch {
		case len(words) == 1:
		case len(words) == 3 && words[1] == "within":
			if r.Within, err = retryDuration(v, words[2], longestWithin); err != nil {
				return err
			}
		case len(words) == 3:
			return v.wrong("%s", unknown("such word", words[1], []string{"within"}))
		default:
			return v.wrong("%q: write TIMES within DURATION, backoff DURATION, such as %s", cut(text), RetryExample)
		}
		if r.Times, err = strconv.Atoi(words[0]); err != nil || r.Times < 1 || r.Times > mostRetries {
			return v.wrong("%q: use 1 to %d attempts behind the first one, such as %s", cut(words[0]), mostRetries, RetryExample)
		}
		if hasBackoff {
			words := strings.Fields(backoff)
			if len(words) != 2 {
				return v.wrong("%q: write backoff DURATION behind the comma, such as %s", cut(strings.TrimSpace(backoff)), RetryExample)
			}
			if words[0] != "backoff" {
				return v.wrong("%s", unknown("such word", words[0], []string{"backoff"}))
			}
			if r.Backoff, err = retryDuration(v, words[1], longestBackoff); err != nil {
				return err
			}
		}
		*to = r
		return nil
	}
}

// retryDuration reads a duration over 0 and up to a limit.
func retryDuration(v value, text string, limit time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		if _, bare := strconv.ParseFloat(text, 64); bare == nil {
			return 0, v.wrong("%s: say the unit, such as %sms", cut(text), cut(text))
		}
		return 0, v.wrong("%q: use a duration such as 50ms", cut(text))
	}
	if d <= 0 || d > limit {
		return 0, v.wrong("%v: use more than 0 and up to %v", d, limit)
	}
	return d, nil
}
