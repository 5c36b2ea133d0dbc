package otlp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Clean wraps a client so that every string of the spans is valid UTF-8: other bytes come from outside, in headers and
// messages, and cost their whole batch. Its errors may be a *PartialError.
func Clean(client otlptrace.Client) otlptrace.Client { return cleanClient{client} }

type cleanClient struct{ otlptrace.Client }

// UploadTraces cleans and sends.
func (c cleanClient) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	cleanSpans(spans)
	return partial(c.Client.UploadTraces(ctx, spans))
}

// retryClient retries where a client for HTTP gives up at once: no connection could be made, or one broke. The client for
// gRPC retries by itself.
type retryClient struct {
	otlptrace.Client
	retry otlptracehttp.RetryConfig
}

// UploadTraces sends, and retries while the endpoint cannot be reached, as long as the configuration allows or the context
// lasts. When the context ends, the error says why the endpoint was not reached before.
func (c retryClient) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	if !c.retry.Enabled {
		return c.Client.UploadTraces(ctx, spans)
	}
	began := time.Now()
	pause := c.retry.InitialInterval
	var seen error // at the attempt before
	for {
		err := c.Client.UploadTraces(ctx, spans)
		if err != nil && seen != nil && ctx.Err() != nil { // it ended this attempt, too
			return fmt.Errorf("%w; seen last: %w", err, seen)
		}
		if err == nil || !isUnreachable(err) || time.Since(began)+pause > c.retry.MaxElapsedTime {
			return err
		}
		select {
		case <-time.After(jittered(pause)):
			seen = err
		case <-ctx.Done():
			return fmt.Errorf("%w; seen last: %w", context.Cause(ctx), err)
		}
		pause = min(pause*3/2, c.retry.MaxInterval)
	}
}

// jittered returns d, give or take a fifth, so that processes that lost one endpoint do not all return at once.
func jittered(d time.Duration) time.Duration { return d*4/5 + rand.N(d*2/5) }

// isUnreachable tells whether a connection to the endpoint could not be made, or broke before an answer came.
func isUnreachable(err error) bool {
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		return failed.Op == "dial" || failed.Op == "read" || failed.Op == "write"
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// PartialError reports that an endpoint took a batch without some of its spans. OTLP does not say which.
type PartialError struct {
	Rejected int // spans
	Err      error
}

// Error returns the endpoint's words.
func (e *PartialError) Error() string { return e.Err.Error() }

// Unwrap returns the client's error.
func (e *PartialError) Unwrap() error { return e.Err }

// partialText matches the text of the clients' error for a partial success: they do not export its type.
var partialText = regexp.MustCompile(`^OTLP partial success: .*\((\d+) spans rejected\)$`)

// partial turns a client's error for a partial success into a *PartialError, or into nil when no span was rejected.
func partial(err error) error {
	if err == nil {
		return nil
	}
	found := partialText.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
	if found == nil {
		return err
	}
	n, parseErr := strconv.Atoi(found[1])
	switch {
	case parseErr != nil:
		return fmt.Errorf("%w: %w", err, parseErr)
	case n == 0:
		return nil
	}
	return &PartialError{Rejected: n, Err: err}
}

// IsRefused reports whether an endpoint, or the encoding on the way to it, refused a batch for something in it. Parts of the
// batch may then be taken.
func IsRefused(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.Internal:
		return true
	case codes.ResourceExhausted: // the batch is too large, or the endpoint has no room
		return strings.Contains(err.Error(), "larger than") || strings.Contains(err.Error(), "fewer spans")
	}
	if _, ok := errors.AsType[*PartialError](err); ok {
		return false
	}
	text := err.Error() // over HTTP the status is in the text alone
	for _, says := range []string{": 400 ", ": 413 ", ": 422 ", "too large: exceeded", "marshal request body"} {
		if strings.Contains(text, says) {
			return true
		}
	}
	return false
}
