package carrier

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"tracelab/internal/text"
	"tracelab/services/internal/orderpb"
)

// Reasons that carriers give. Services add their own (out_of_stock, payment_declined, …).
const (
	Timeout     = "timeout"     // a deadline passed
	Cancelled   = "cancelled"   // the caller went away
	Unavailable = "unavailable" // a service or the broker went away during the call, has not answered well, or is shutting down
	Unreachable = "unreachable" // no connection to a service can be made: nothing was sent, so it surely did nothing
	BadRequest  = "bad_request" // the request makes no sense
	TooLarge    = "too_large"
	Full        = "full" // a service has no room for it
	MailboxFull = "mailbox_full"
	// A call that was refused before the step began: by its caller, whose breaker is open or which makes as many calls as it may, or by the
	// service, whose workers are busy and whose queue is full.
	BreakerOpen  = "breaker_open"
	BulkheadFull = "bulkhead_full"
	QueueFull    = "queue_full"
	// MessageRefused is a message that the broker will not take, however often it is sent.
	MessageRefused = "message_refused"
	Internal       = "internal"
	Undecodable    = "undecodable" // a message that cannot be read
)

// Failed is the error of an order: the steps that failed, each with its reason, whatever carried the answer.
type Failed struct {
	Failures []*orderpb.Failure
	OrderID  string // "" when no order was accepted
	Answer   bool   // the step's own code refuses the order: no further attempt changes that
	Terms    *Terms // of the flow; nil: none but the carriers' own
	// RetryAfter is how long to wait before another try makes sense; 0: nobody said.
	RetryAfter time.Duration
}

// Terms are what a flow adds to the words of an answer.
type Terms struct {
	Path    string         // of its orders: /orders
	Reasons map[string]int // its own reasons, and the HTTP status that tells of each, 400 to 499
}

// maxDetail is how many bytes of a failure's detail are kept: it may quote what came from outside.
const maxDetail = 1024

// Fail makes the failure of one step. The detail may have any bytes: it is cleaned and cut, as it goes into spans, answers
// and messages.
func Fail(step, reason, detail string) *Failed {
	return &Failed{Failures: []*orderpb.Failure{{Step: step, Reason: text.Clean(reason), Detail: text.Cut(text.Clean(detail), maxDetail)}}}
}

// Error lists the failures.
func (f *Failed) Error() string {
	texts := make([]string, len(f.Failures))
	for i, failure := range f.Failures {
		texts[i] = failure.GetReason()
		if failure.GetStep() != "" {
			texts[i] = failure.GetStep() + ": " + texts[i]
		}
		if failure.GetDetail() != "" {
			texts[i] += " (" + failure.GetDetail() + ")"
		}
	}
	return strings.Join(texts, "; ")
}

// Reason returns the first failure's reason, for error.type and the answer's status.
func (f *Failed) Reason() string { return f.Failures[0].GetReason() }

// AsFailed makes any error the failure of a step. A *Failed is returned as it is, with its own steps.
func AsFailed(step string, err error) *Failed {
	if failed, ok := errors.AsType[*Failed](err); ok {
		return failed
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Fail(step, Timeout, err.Error())
	case errors.Is(err, context.Canceled):
		return Fail(step, Cancelled, err.Error())
	default:
		return Fail(step, Internal, err.Error())
	}
}

// reasons maps reasons to statuses of HTTP and gRPC. All others are the service's own fault: 500 and INTERNAL.
var reasons = map[string]struct {
	status int
	code   codes.Code
}{
	"idempotency_key_in_use": {http.StatusConflict, codes.Aborted},
	"idempotency_key_reused": {http.StatusUnprocessableEntity, codes.InvalidArgument},
	"unsupported_media_type": {http.StatusUnsupportedMediaType, codes.InvalidArgument},
	"request_timeout":        {http.StatusRequestTimeout, codes.DeadlineExceeded},
	BadRequest:               {http.StatusBadRequest, codes.InvalidArgument},
	TooLarge:                 {http.StatusRequestEntityTooLarge, codes.ResourceExhausted},
	Timeout:                  {http.StatusGatewayTimeout, codes.DeadlineExceeded},
	"hang":                   {http.StatusGatewayTimeout, codes.DeadlineExceeded},
	Cancelled:                {http.StatusServiceUnavailable, codes.Canceled},
	Unavailable:              {http.StatusServiceUnavailable, codes.Unavailable},
	Unreachable:              {http.StatusServiceUnavailable, codes.Unavailable},
	MailboxFull:              {http.StatusServiceUnavailable, codes.ResourceExhausted},
	Full:                     {http.StatusServiceUnavailable, codes.ResourceExhausted},
	BreakerOpen:              {http.StatusServiceUnavailable, codes.Unavailable},
	BulkheadFull:             {http.StatusServiceUnavailable, codes.ResourceExhausted},
	QueueFull:                {http.StatusServiceUnavailable, codes.ResourceExhausted},
}

// ErrorType returns the reason: the instrumentation takes error.type from it.
func (f *Failed) ErrorType() string { return f.Reason() }

// Refused tells whether a reason says that a call was refused before its step began, because there was no room for it.
func Refused(reason string) bool {
	return reason == BreakerOpen || reason == BulkheadFull || reason == QueueFull
}

// own returns the HTTP status of a reason of the flow's own.
func (f *Failed) own() (status int, ok bool) {
	if f.Terms == nil {
		return 0, false
	}
	status, ok = f.Terms.Reasons[f.Reason()]
	return status, ok
}

// Status returns the HTTP status of the failure.
func (f *Failed) Status() int {
	if status, ok := f.own(); ok {
		return status
	}
	if r, ok := reasons[f.Reason()]; ok {
		return r.status
	}
	return http.StatusInternalServerError
}

// GRPCStatus lets grpc-go make the answer's status of the error; the failures travel as its detail.
func (f *Failed) GRPCStatus() *status.Status {
	code := codes.Internal
	if r, ok := reasons[f.Reason()]; ok {
		code = r.code
	}
	switch status, ok := f.own(); {
	case !ok:
	case status == http.StatusNotFound:
		code = codes.NotFound
	case status == http.StatusUnprocessableEntity:
		code = codes.InvalidArgument
	default:
		code = codes.FailedPrecondition
	}
	plain := status.New(code, f.Error())
	details := []protoadapt.MessageV1{&orderpb.Failures{Failures: f.Failures, OrderId: f.OrderID}}
	if f.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)})
	}
	detailed, err := plain.WithDetails(details...)
	if err != nil { // the details cannot be encoded; the message says it all, too
		return plain
	}
	return detailed
}
