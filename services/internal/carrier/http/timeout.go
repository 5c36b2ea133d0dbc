package http

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"tracelab/services/internal/carrier"
)

// TimeoutHeader says how long the caller still waits for its answer, as a duration such as 950ms: what grpc-timeout is for gRPC. It is a
// duration, not a time, so that the clocks of two machines need not agree. How long the request took to arrive is not taken off.
const TimeoutHeader = "Request-Timeout"

// SetTimeout says in the header how much time the context has left, if it has a deadline.
func SetTimeout(ctx context.Context, header http.Header) {
	if deadline, ok := ctx.Deadline(); ok {
		header.Set(TimeoutHeader, max(0, time.Until(deadline)).String())
	}
}

// timed gives a request's context the deadline that its header says.
func timed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := r.Header.Get(TimeoutHeader)
		if text == "" {
			h.ServeHTTP(w, r)
			return
		}
		timeout, err := time.ParseDuration(text)
		if err != nil || timeout < 0 {
			WriteProblem(w, carrier.Fail("", carrier.BadRequest, fmt.Sprintf("%s: %q: use a duration such as 950ms", TimeoutHeader, text)))
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}
