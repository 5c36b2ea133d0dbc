package otlp

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// hanging is a client of which so many attempts are refused, and the next hangs until its context ends.
type hanging struct {
	otlptrace.Client
	refused int
}

func (h *hanging) UploadTraces(ctx context.Context, _ []*tracepb.ResourceSpans) error {
	if h.refused--; h.refused >= 0 {
		return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestTheReasonOutlivesTheLastAttempt: when the time ends during an attempt, the error says why the ones before it failed.
func TestTheReasonOutlivesTheLastAttempt(t *testing.T) {
	for refused, want := range map[int]bool{0: false, 1: true, 3: true, 1000: true} {
		synctest.Test(t, func(t *testing.T) {
			client := retryClient{&hanging{refused: refused}, otlptracehttp.RetryConfig(resend)}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			err := client.UploadTraces(ctx, nil)
			if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "refused") != want {
				t.Errorf("%d refused: %v", refused, err)
			}
		})
	}
}
