package faults

import (
	"context"
	"time"
)

const maxDelay = time.Minute

// delay makes the step wait before its work. The wait ends early with the context, as a real one would.
func delay() kind {
	return kind{
		name:  "delay",
		usage: "delay=DURATION: the step waits that long, then does its work",
		check: func(value string) error { _, err := positive(value, maxDelay); return err },
		act: func(ctx context.Context, value string) error {
			d, err := positive(value, maxDelay)
			if err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(d):
				return nil
			}
		},
	}
}
