// Package poll waits for what only asking can show: an answer, a state, the end of a process.
package poll

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Until calls ask at once, and again interval after each error, until ask returns nil: then Until does, too. An error that Stop marked ends
// it at once and is returned without the mark. When ctx ends first, the error is an *Unmet. A ctx that has ended already still gets one call.
func Until(ctx context.Context, interval time.Duration, ask func(context.Context) error) error {
	return Slowing(ctx, interval, interval, ask)
}

// Slowing is Until with intervals that grow with the wait, from shortest to longest: an eighth of the time since it began, in multiples of shortest. What
// comes soon is seen soon, and a long wait costs few questions.
func Slowing(ctx context.Context, shortest, longest time.Duration, ask func(context.Context) error) error {
	began, timer := time.Now(), time.NewTimer(shortest)
	defer timer.Stop()
	var last error
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if final, ok := errors.AsType[*stop](err); ok {
			return final.error
		}
		if last == nil || ctx.Err() == nil {
			last = err // one that the end of ctx cut short says less than the one before
		}
		timer.Reset(min(max(shortest, (time.Since(began)/8).Truncate(shortest)), longest))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return &Unmet{Cause: context.Cause(ctx), Last: last}
		}
	}
}

// Unmet says that a condition did not become true in time.
type Unmet struct {
	Cause error // why the wait ended: the context's cause
	Last  error // what ask returned last
}

// Error tells both.
func (u *Unmet) Error() string { return fmt.Sprintf("%v; seen last: %v", u.Cause, u.Last) }

// Unwrap returns both.
func (u *Unmet) Unwrap() []error { return []error{u.Cause, u.Last} }

// Stop marks an error that asking again cannot change: Until returns it at once. Stop(nil) is nil.
func Stop(err error) error {
	if err == nil {
		return nil
	}
	return &stop{err}
}

type stop struct{ error }

// Unwrap returns the error that was marked.
func (s *stop) Unwrap() error { return s.error }
