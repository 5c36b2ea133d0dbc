package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"tracelab/journey/source"
)

// refusal is the error for a request that is not taken, with its status over HTTP and over gRPC.
type refusal struct {
	http  int
	grpc  codes.Code
	retry time.Duration // after which another try may succeed; 0: none will
	err   error
}

// Error says why.
func (r *refusal) Error() string { return r.err.Error() }

// GRPCStatus returns the refusal as OTLP over gRPC wants it.
func (r *refusal) GRPCStatus() *status.Status {
	s := status.New(r.grpc, r.err.Error())
	if r.retry > 0 {
		if again, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(r.retry)}); err == nil {
			return again
		}
	}
	return s
}

func invalid(format string, args ...any) *refusal {
	return &refusal{http: http.StatusBadRequest, grpc: codes.InvalidArgument, err: fmt.Errorf(format, args...)}
}

func tooLarge(format string, args ...any) *refusal {
	return &refusal{http: http.StatusRequestEntityTooLarge, grpc: codes.ResourceExhausted, err: fmt.Errorf(format, args...)}
}

// errBusy says that all slots of the receiver are taken.
var errBusy = errors.New("too many requests at a time: try again")

// acquire waits for one of the slots, and returns how to release it.
func (r *Receiver) acquire(ctx context.Context, slots chan struct{}) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeouts.slot)
	defer cancel()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, &refusal{http: http.StatusServiceUnavailable, grpc: codes.Unavailable, retry: time.Second, err: errBusy}
	}
}

// takeProtobuf keeps the spans of a request in protobuf.
func (r *Receiver) takeProtobuf(ctx context.Context, body []byte) error {
	return r.take(ctx, body, checkProtobuf, ptraceotlp.ExportRequest.UnmarshalProto)
}

// takeJSON keeps the spans of a request in JSON.
func (r *Receiver) takeJSON(ctx context.Context, body []byte) error {
	return r.take(ctx, body, checkJSON, ptraceotlp.ExportRequest.UnmarshalJSON)
}

// take checks, decodes and keeps.
func (r *Receiver) take(ctx context.Context, body []byte, check func([]byte) error, decode func(ptraceotlp.ExportRequest, []byte) error) error {
	if err := check(body); errors.Is(err, errTooMany) {
		return tooLarge("%w", err)
	} else if err != nil {
		return invalid("the body is no OTLP export request: %w", err)
	}
	release, err := r.acquire(ctx, r.decoding)
	if err != nil {
		return err
	}
	defer release()
	request := ptraceotlp.NewExportRequest()
	if err := decode(request, body); err != nil {
		return invalid("the body is no OTLP export request: %w", err)
	}
	leftOut := r.leaveOut(request.Traces())
	cleanReceived(request.Traces())
	batch, err := request.MarshalProto()
	if err != nil {
		return fmt.Errorf("keep spans: %w", err)
	}
	if err := source.CheckProtobuf(batch); err != nil { // of JSON
		return invalid("the body is no OTLP export request: %w", err)
	}
	return r.keep(batch, request.Traces().SpanCount(), leftOut)
}

// leaveOut removes the spans that Admit does not pick, and returns how many.
func (r *Receiver) leaveOut(traces ptrace.Traces) int {
	if r.config.Admit == nil {
		return 0
	}
	before := traces.SpanCount()
	traces.ResourceSpans().RemoveIf(func(resource ptrace.ResourceSpans) bool {
		resource.ScopeSpans().RemoveIf(func(scope ptrace.ScopeSpans) bool {
			scope.Spans().RemoveIf(func(s ptrace.Span) bool { return !r.config.Admit(s) })
			return scope.Spans().Len() == 0
		})
		return resource.ScopeSpans().Len() == 0
	})
	return before - traces.SpanCount()
}

// keep hands a batch on, unless the budget is used up.
func (r *Receiver) keep(batch []byte, spans, leftOut int) error {
	r.mu.Lock()
	r.received.LeftOut += int64(leftOut)
	full := r.received.Bytes+int64(len(batch)) > r.config.MaxBytes
	switch {
	case full:
		r.received.Refused += int64(spans)
	case spans > 0:
		r.received.Kept += int64(spans)
		r.received.Bytes += int64(len(batch))
	}
	r.mu.Unlock()
	if full {
		return &refusal{http: http.StatusTooManyRequests, grpc: codes.ResourceExhausted,
			err: fmt.Errorf("%d bytes of spans are kept, and no more", r.config.MaxBytes)}
	}
	if spans > 0 {
		r.config.Keep(batch)
	}
	return nil
}
