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
	needs  []ended       // it is skipped when one of these did not pass, as it builds on them
	unless []ended       // it is skipped when one of these failed itself, as it would fail for the same reason
	absent string        // why it is left out, or ""
	within time.Duration // how long it may take
}

// ended is how a check ended, for the checks that build on it.
type ended struct {
	name   string
	failed bool
	cause  string // the check that failed first on the way here, itself included; "" when it passed or was left out
}

// outcome is how a check ended and what it found. When it did not pass, found is the zero value.
type outcome[T any] struct {
	ended
	ok    bool
	found T
}

// passed reports whether the check found nothing wrong.
func (e outcome[T]) passed() bool { return e.ok }

// nothing is what a check finds when other checks only need to know how it ended.
type nothing = struct{}

// walk collects the checks of one examination.
type walk struct {
	longest time.Duration // how long one check may take, so that one that hangs leaves time for the others
	each    func(Check)
	checks  []Check
}

// look makes a check, unless it is to be skipped. f returns what it found, and in words what was seen.
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
		result.Status, result.Seen, result.Fix = Failed, "not checked: the time is over", "give it more with --timeout"
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

// because returns the name of the check whose failure skips this one, or "".
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

// Error returns what was seen.
func (b *broken) Error() string { return b.seen }

// brokenHop makes a *broken: fix says what to do, and the format what was seen.
func brokenHop(fix, format string, args ...any) error {
	return &broken{seen: fmt.Sprintf(format, args...), fix: fix}
}

// until calls ask again and again until it returns nil, or an error that poll.Stop marked, or the context ends: then it returns the last error. An answer
// that took most of the time that was left is the clock's, not the part's: then the error before it is the last.
func until(ctx context.Context, ask func(context.Context) error) error {
	var last error
	err := poll.Until(ctx, retryInterval, func(ctx context.Context) error {
		deadline, limited := ctx.Deadline()
		began := time.Now()
		err := ask(ctx)
		if err != nil && last != nil && limited && time.Since(began) > deadline.Sub(began)/2 {
			return last
		}
		last = err
		return err
	})
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		return unmet.Last
	}
	return err
}
