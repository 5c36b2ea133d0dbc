package poll_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/poll"
)

var errNotYet = errors.New("not yet")

func TestUntilAsksAtOnceAndThenAtTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, asked := time.Now(), 0
		err := poll.Until(t.Context(), time.Second, func(context.Context) error {
			if want := time.Duration(asked) * time.Second; time.Since(began) != want {
				t.Errorf("question %d came after %v, want %v", asked, time.Since(began), want)
			}
			if asked++; asked < 4 {
				return errNotYet
			}
			return nil
		})
		if err != nil || asked != 4 {
			t.Errorf("%v after %d questions, want none after 4", err, asked)
		}
	})
}

// TestSlowingAsksLessOftenTheLongerItWaits: it sees what comes at any time within an eighth of that time, or the longest interval.
func TestSlowingAsksLessOftenTheLongerItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const shortest, longest = 10 * time.Millisecond, 100 * time.Millisecond
		for _, comes := range []time.Duration{0, 15 * time.Millisecond, 400 * time.Millisecond, 10 * time.Second} {
			began, asked := time.Now(), 0
			err := poll.Slowing(t.Context(), shortest, longest, func(context.Context) error {
				if asked++; time.Since(began) < comes {
					return errNotYet
				}
				return nil
			})
			late := time.Since(began) - comes
			if most := int(comes/longest) + 40; err != nil || late > min(max(shortest, comes/8), longest) || asked > most {
				t.Errorf("what came after %v was seen %v later: %v, after %d questions, want %d at most", comes, late, err, asked, most)
			}
		}
	})
}

// TestUntilTellsTheLastComplaintAndTheCause also holds that a question which the end has cut off does not hide the one before.
func TestUntilTellsTheLastComplaintAndTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		because := errors.New("a minute is over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, because)
		defer cancel()
		began, asked := time.Now(), 0
		err := poll.Until(ctx, 25*time.Second, func(ctx context.Context) error {
			if asked++; asked < 3 {
				return errNotYet
			}
			<-ctx.Done()
			return ctx.Err()
		})
		var unmet *poll.Unmet
		if !errors.As(err, &unmet) || !errors.Is(unmet.Last, errNotYet) || !errors.Is(err, because) || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err.Error() != "a minute is over; seen last: not yet" {
			t.Errorf("%q", err)
		}
	})
}

func TestAnEndedContextGetsOneQuestion(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked := 0
	err := poll.Until(ctx, time.Hour, func(context.Context) error { asked++; return errNotYet })
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errNotYet) || asked != 1 {
		t.Errorf("%v after %d questions", err, asked)
	}
	if err := poll.Until(ctx, time.Hour, func(context.Context) error { return nil }); err != nil {
		t.Errorf("what is true needs no time: %v", err)
	}
}

func TestStopEndsAtOnce(t *testing.T) {
	certain := errors.New("never")
	asked := 0
	err := poll.Until(t.Context(), time.Hour, func(context.Context) error { asked++; return poll.Stop(certain) })
	if err != certain || asked != 1 { //nolint:errorlint // the very error, without its mark
		t.Errorf("%v after %d questions", err, asked)
	}
	if poll.Stop(nil) != nil {
		t.Error("Stop(nil) is an error")
	}
}
