package faults

import (
	"context"
	"time"
)

const maxHang = 30 * time.Second

// hang makes the step stop answering for a time, ignore cancellation, and then fail.
func hang() kind {
	return kind{
		name:  "hang",
		usage: "hang=DURATION: the step stops answering for that long, deaf to cancellation, then fails (reason hang)",
		check: func(value string) error { _, err := positive(value, maxHang); return err },
		act: func(_ context.Context, value string) error {
			d, err := positive(value, maxHang)
			if err != nil {
				return err
			}
			<-time.After(d) // without ctx.Done: a hung process does not react to it
			return &Error{Reason: "hang"}
		},
	}
}
