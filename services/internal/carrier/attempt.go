package carrier

import "context"

type attemptKey struct{}

// WithAttempt says which attempt at a step the work in the context is, from 1 on.
func WithAttempt(ctx context.Context, attempt int) context.Context {
	return context.WithValue(ctx, attemptKey{}, attempt)
}

// AttemptOf is which attempt at a step the work in the context is: 1 unless somebody said otherwise.
func AttemptOf(ctx context.Context) int {
	if attempt, ok := ctx.Value(attemptKey{}).(int); ok {
		return attempt
	}
	return 1
}
