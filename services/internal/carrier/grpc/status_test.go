package grpc

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// TestFailuresTravel: what arrives is what was sent.
func TestFailuresTravel(t *testing.T) {
	text := rapid.StringMatching(`[a-zA-Z0-9 "<>&äö;()]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		want := &carrier.Failed{OrderID: rapid.SampledFrom([]string{"", "0195-abc"}).Draw(t, "order")}
		for range rapid.IntRange(1, 3).Draw(t, "failures") {
			want.Failures = append(want.Failures, &orderpb.Failure{
				Step:   rapid.SampledFrom([]string{"payment.Charge", "shipping.Dispatch"}).Draw(t, "step"),
				Reason: rapid.StringMatching(`[a-z][a-z_]{0,20}`).Draw(t, "reason"), Detail: text.Draw(t, "detail"),
			})
		}
		err := over(want)
		got, ok := errors.AsType[*carrier.Failed](err)
		if !ok {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Fatalf("(-sent +arrived):\n%s", diff)
		}
	})
}

// over is a failure as the caller of a service gets it.
func over(f *carrier.Failed) error { return fromStatus("payment", f.GRPCStatus().Err()) }

func TestStatusesWithoutDetails(t *testing.T) {
	for code, reason := range map[codes.Code]string{
		codes.DeadlineExceeded: carrier.Timeout, codes.Canceled: carrier.Cancelled, codes.Unavailable: carrier.Unavailable, codes.ResourceExhausted: carrier.TooLarge,
		codes.InvalidArgument: carrier.BadRequest, codes.Unknown: carrier.Internal, codes.Unimplemented: carrier.Internal,
	} {
		plain := status.Error(code, "x")
		if got := carrier.AsFailed("", fromStatus("payment", plain)); got.Reason() != reason {
			t.Errorf("%s without details: %v, want %s", code, got, reason)
		}
	}
}
