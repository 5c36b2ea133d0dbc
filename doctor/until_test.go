package doctor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestTheClockIsNoAnswer: what was seen of a part stands, when the last question about it had no time left for an answer.
func TestTheClockIsNoAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		took time.Duration // the last question
		want string
	}{
		"answered":  {10 * time.Millisecond, "gone"},
		"cut short": {300 * time.Millisecond, "no consumer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				began := time.Now()
				err := until(ctx, func(context.Context) error {
					if time.Since(began) < 3600*time.Millisecond {
						return errors.New("no consumer")
					}
					time.Sleep(c.took)
					return errors.New("gone")
				})
				if err == nil || err.Error() != c.want {
					t.Errorf("error %v, want %q", err, c.want)
				}
			})
		})
	}
}
