package otelkgo

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// errPanic ends the span of a handler that panicked.
var errPanic = typedError{"panic", "the handler panicked"}

// errAborted ends the commit spans of an aborted transaction.
var errAborted = typedError{"transaction_aborted", "the transaction was aborted"}

// typedError is an error of this package with its own error.type.
type typedError struct{ kind, text string }

func (e typedError) Error() string     { return "otelkgo: " + e.text }
func (e typedError) ErrorType() string { return e.kind }

// failSpan sets status and error.type when there is an error. Without one the
// status stays unset, as the conventions want it.
func failSpan(span trace.Span, err error) {
	if err == nil {
		return
	}
	span.SetAttributes(semconv.ErrorTypeKey.String(errorType(err)))
	span.SetStatus(codes.Error, text(err.Error()))
}

// clientErrors are the errors of kgo that have no Kafka error code.
var clientErrors = []struct {
	err  error
	kind string
}{
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "timeout"},
	{kgo.ErrRecordTimeout, "record_timeout"},
	{kgo.ErrRecordRetries, "record_retries"},
	{kgo.ErrMaxBuffered, "max_buffered"},
	{kgo.ErrAborting, "aborting"},
	{kgo.ErrClientClosed, "client_closed"},
}

// errorType returns error.type: what the error's ErrorType method returns, else
// Kafka's name (MESSAGE_TOO_LARGE), else a word from clientErrors, else the Go
// type. There are few of them, so metrics can carry them.
func errorType(err error) string { return text(rawErrorType(err)) }

// rawErrorType is errorType as the error gives it.
func rawErrorType(err error) string {
	var own interface{ ErrorType() string }
	if errors.As(err, &own) && own.ErrorType() != "" {
		return own.ErrorType()
	}
	var kafka *kerr.Error
	if errors.As(err, &kafka) {
		return kafka.Message
	}
	for _, c := range clientErrors {
		if errors.Is(err, c.err) {
			return c.kind
		}
	}
	return semconv.ErrorType(err).Value.AsString()
}
