package carrier

import "context"

type storedKey struct{}

// WithStored returns a context for Publish of a message that an outbox has kept: with the headers that it got when it was made, which hold its
// creation context.
func WithStored(ctx context.Context, headers map[string]string) context.Context {
	return context.WithValue(ctx, storedKey{}, headers)
}

// StoredHeaders returns the headers of a message that an outbox has kept, or nil.
func StoredHeaders(ctx context.Context) map[string]string {
	headers, _ := ctx.Value(storedKey{}).(map[string]string)
	return headers
}
