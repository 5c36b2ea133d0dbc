package otelamqp

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// ErrNacked is the error of a message that the server did not take.
var ErrNacked error = typedError{"nacked", "the server did not take the message"}

// ErrNotConfirmed is the error of PublishConfirmed on a channel without confirms:
// the message is sent, and nobody tells whether it arrived.
var ErrNotConfirmed error = typedError{"not_confirmed", "the channel is not in confirm mode: call Confirm on it first"}

var (
	// errPanic ends the span of a handler that panicked.
	errPanic = typedError{"panic", "the handler panicked"}
	// errClosed ends the send spans of a channel that was closed before the
	// confirm: whether the server has the messages is open.
	errClosed = typedError{"channel_closed", "the channel was closed before the server confirmed the message"}
)

// typedError is an error of this package with its own error.type.
type typedError struct{ kind, text string }

func (e typedError) Error() string     { return "otelamqp: " + e.text }
func (e typedError) ErrorType() string { return e.kind }

// ReturnedError is the error of a mandatory message that no queue took.
type ReturnedError struct {
	Code       uint16 // as AMQP numbers it: 312 for no route
	Text       string
	Exchange   string
	RoutingKey string
}

// Error says what the server says.
func (e *ReturnedError) Error() string {
	return fmt.Sprintf("message to %s was returned: %s (%d)", Destination{Exchange: e.Exchange, RoutingKey: e.RoutingKey}, e.Text, e.Code)
}

// ErrorType returns AMQP's name of the code, such as NO_ROUTE.
func (e *ReturnedError) ErrorType() string { return codeName(int(e.Code)) }

// failSpan sets status and error.type when there is an error. Without one the
// status stays unset, as the conventions want it.
func failSpan(span trace.Span, err error) {
	if err == nil {
		return
	}
	span.SetAttributes(semconv.ErrorTypeKey.String(errorType(err)))
	span.SetStatus(codes.Error, text(err.Error()))
}

// codeNames are the reply codes of AMQP 0-9-1, as RabbitMQ writes them.
var codeNames = map[int]string{
	311: "CONTENT_TOO_LARGE", 312: "NO_ROUTE", 313: "NO_CONSUMERS", 320: "CONNECTION_FORCED", 402: "INVALID_PATH", 403: "ACCESS_REFUSED",
	404: "NOT_FOUND", 405: "RESOURCE_LOCKED", 406: "PRECONDITION_FAILED", 501: "FRAME_ERROR", 502: "SYNTAX_ERROR", 503: "COMMAND_INVALID",
	504: "CHANNEL_ERROR", 505: "UNEXPECTED_FRAME", 506: "RESOURCE_ERROR", 530: "NOT_ALLOWED", 540: "NOT_IMPLEMENTED", 541: "INTERNAL_ERROR",
}

// codeName returns the name of a reply code, or _OTHER.
func codeName(code int) string {
	if name, ok := codeNames[code]; ok {
		return name
	}
	return semconv.ErrorTypeOther.Value.AsString()
}

// errorType returns error.type: what the error's ErrorType method returns, else
// a word for an error of the client, else AMQP's name (NOT_FOUND), else the Go
// type. There are few of them, so metrics can carry them.
func errorType(err error) string { return text(rawErrorType(err)) }

// rawErrorType is errorType as the error gives it.
func rawErrorType(err error) string {
	var own interface{ ErrorType() string }
	if errors.As(err, &own) && own.ErrorType() != "" {
		return own.ErrorType()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, amqp.ErrClosed):
		return errClosed.kind
	}
	var reply *amqp.Error
	if errors.As(err, &reply) && reply != nil {
		return codeName(reply.Code)
	}
	return semconv.ErrorType(err).Value.AsString()
}
