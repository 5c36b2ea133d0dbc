package faults

import (
	"context"
	"time"
)

const longestHang = 30 * time.Second

// hang makes the step stop answering: deaf to its caller's giving up, for the time given and no longer, and then fail.
func hang() kind {
	return kind{
		name:  "hang",
		usage: "hang=DURATION: the step stops answering for that long, deaf to cancellation, then fails (reason hang)",
		check: func(value string) error { _, err := positive(value, longestHang); return err },
		act: func(_ context.Context, value string) error {
			d, err := positive(value, longestHang)
			if err != nil {
				return err
			}
			<-time.After(d) // deliberately no ctx.Done: a hung process does not hear it
			return &Error{Reason: "hang"}
		},
	}
}
