package services

import (
	"context"
	"time"

	"tracelab/services/internal/carrier"
)

// mostMargin is the most time that a caller keeps for itself, to answer its own caller in time. Of a short time it keeps a tenth.
const mostMargin = 10 * time.Millisecond

// shrunk returns how long a call may take when its caller has that much time left.
func shrunk(left time.Duration) time.Duration { return left - min(left/10, mostMargin) }

// within bounds a call by the step's timeout, 0 for none, and by what is left of the caller's own time less a margin. gRPC and the HTTP
// client pass the deadline on. A call without any time left is not begun.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc, *carrier.Failed) {
	if err := timeOver(ctx); err != nil {
		return nil, nil, notBegun(err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		left := shrunk(time.Until(deadline))
		if left <= 0 {
			return nil, nil, notBegun(context.DeadlineExceeded)
		}
		if timeout == 0 || left < timeout {
			timeout = left
		}
	}
	if timeout == 0 {
		return ctx, func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	return ctx, cancel, nil
}

// timeOver tells that a context has ended, or is to end now: its timer may be a little late.
func timeOver(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// notBegun is the failure of a call that was not made because nobody waits for it any more.
func notBegun(err error) *carrier.Failed {
	return carrier.Fail("", carrier.AsFailed("", err).Reason(), "not begun: the time of the caller was over")
}
