package faults

import (
	"context"
	"errors"
	"time"

	"tracelab/internal/process"
)

const maxHang = 30 * time.Second

// hang makes the step stop answering for a time, ignore cancellation, and then fail.
func hang() kind {
	return kind{
		name:  "hang",
		usage: "hang=DURATION: the step stops answering for that long, deaf to cancellation, then fails (reason hang)",
		check: func(value string) error { _, err := positive(value, maxHang); return err },
		act: func(ctx context.Context, value string) error {
			d, err := positive(value, maxHang)
			if err != nil {
				return err
			}
			hung := time.After(d)
			select {
			case <-hung:
			case <-ctx.Done():
				if errors.Is(context.Cause(ctx), process.ErrKilled) {
					return process.ErrKilled
				}
				<-hung // a hung process does not react to a caller that has gone
			}
			return &Error{Reason: "hang"}
		},
	}
}
