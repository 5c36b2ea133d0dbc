package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/internal/poll"
)

// check is one thing to look at.
type check struct {
	name   string
	needs  []ended       // what it builds on: when one of these did not pass, there is nothing to learn here
	unless []ended       // what explains its failure: when one of these failed itself, nothing new is learned here
	absent string        // why it is left out, or ""
	within time.Duration // at the most
}

// ended is how a check ended, for the checks behind it.
type ended struct {
	name   string
	failed bool
	cause  string // the check that failed first on the way here, itself included; "" when it passed or was left out
}

// passed holds for a check that found all well.
func (e outcome[T]) passed() bool { return e.ok }

// outcome is how a check ended and what it has found. The zero value of found stands where it did not pass.
type outcome[T any] struct {
	ended
	ok    bool
	found T
}

// nothing is found by a check whose outcome is all that others need.
type nothing = struct{}

// walk is one way along the chain: it keeps the checks that were made.
type walk struct {
	longest time.Duration // of one check, so that one that hangs leaves time for the others
	each    func(Check)
	checks  []Check
}

// look does a check, unless there is a reason not to. The function returns what it found, and what was seen in words.
func look[T any](ctx context.Context, w *walk, c check, f func(context.Context) (found T, seen string, err error)) outcome[T] {
	o := outcome[T]{ended: ended{name: c.name}}
	result := Check{Name: c.name, Status: Skipped}
	switch because := c.because(); {
	case c.absent != "":
		result.Seen = c.absent
	case because != "":
		o.cause = because
		result.Seen = "because " + because + " failed"
	case ctx.Err() != nil:
		result.Status, result.Seen, result.Fix = Failed, "not looked at: the time is over", "give it more with --timeout"
	default:
		began := time.Now()
		within, cancel := context.WithTimeout(ctx, min(c.within, w.longest))
		defer cancel()
		found, seen, err := f(within)
		result.TookMS = milliseconds(began)
		if err == nil {
			o.found, o.ok = found, true
			result.Status, result.Seen = OK, seen
			break
		}
		result.Status, result.Seen = Failed, err.Error()
		if hop, ok := errors.AsType[*broken](err); ok {
			result.Fix = hop.fix
		}
	}
	if result.Status == Failed {
		o.failed, o.cause = true, c.name
	}
	w.checks = append(w.checks, result)
	if w.each != nil {
		w.each(result)
	}
	return o
}

// because names the check for whose failure this one is skipped, or "".
func (c check) because() string {
	for _, need := range c.needs {
		if need.cause != "" {
			return need.cause
		}
	}
	for _, other := range c.unless {
		if other.failed {
			return other.name
		}
	}
	return ""
}

// broken is a hop that does not pass things on.
type broken struct{ seen, fix string }

// Error is what was seen.
func (b *broken) Error() string { return b.seen }

// brokenHop makes a *broken.
func brokenHop(fix, format string, args ...any) error {
	return &broken{seen: fmt.Sprintf(format, args...), fix: fix}
}

// until asks again and again until there is nothing more to complain of, poll.Stop says that asking again is of no use, or the context ends; then
// it returns the last complaint.
func until(ctx context.Context, ask func(context.Context) error) error {
	err := poll.Until(ctx, retryInterval, ask)
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		return unmet.Last
	}
	return err
}
