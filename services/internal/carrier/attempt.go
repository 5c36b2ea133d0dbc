package carrier

import (
	"context"
	"time"
)

type (
	attemptKey  struct{}
	beforeKey   struct{}
	firstKey    struct{}
	sentKey     struct{}
	redrivenKey struct{}
)

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

// withFirst says when the first attempt at a message began.
func withFirst(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, firstKey{}, at)
}

// SinceFirst is how long ago the first attempt at the message began; 0 outside of a message.
func SinceFirst(ctx context.Context) time.Duration {
	if at, ok := ctx.Value(firstKey{}).(time.Time); ok {
		return time.Since(at)
	}
	return 0
}

// WithRedriven says that the work in the context is for a message that came back from the dead letters.
func WithRedriven(ctx context.Context, redriven bool) context.Context {
	if !redriven {
		return ctx
	}
	return context.WithValue(ctx, redrivenKey{}, true)
}

// Redriven tells whether the work in the context is for a message that came back from the dead letters.
func Redriven(ctx context.Context) bool { return ctx.Value(redrivenKey{}) != nil }

// withBefore says how many attempts were made before the message came back from the dead letters.
func withBefore(ctx context.Context, attempts int) context.Context {
	return context.WithValue(ctx, beforeKey{}, attempts)
}

// AttemptsBefore is how many attempts at a message were made before it came back from the dead letters: 0 for one that was never there.
func AttemptsBefore(ctx context.Context) int {
	attempts, _ := ctx.Value(beforeKey{}).(int)
	return attempts
}

// AttemptHere is which attempt at a message the work in the context is, since it came or came back from the dead letters: from 1 on.
func AttemptHere(ctx context.Context) int { return AttemptOf(ctx) - AttemptsBefore(ctx) }

func withSent(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, sentKey{}, at)
}

// SentAt is when the message in work was sent, by its sender's clock; false outside of a message.
func SentAt(ctx context.Context) (time.Time, bool) {
	at, ok := ctx.Value(sentKey{}).(time.Time)
	return at, ok
}
