package carrier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"tracelab/services/internal/orderpb"
)

// TestFailuresTravel: whether as a problem document or as a gRPC status, what arrives is what was sent.
func TestFailuresTravel(t *testing.T) {
	text := rapid.StringMatching(`[a-zA-Z0-9 "<>&äö;()]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		want := &Failed{OrderID: rapid.SampledFrom([]string{"", "0195-abc"}).Draw(t, "order")}
		for range rapid.IntRange(1, 3).Draw(t, "failures") {
			want.Failures = append(want.Failures, &orderpb.Failure{
				Step:   rapid.SampledFrom([]string{"payment.Charge", "shipping.Dispatch"}).Draw(t, "step"),
				Reason: rapid.StringMatching(`[a-z][a-z_]{0,20}`).Draw(t, "reason"), Detail: text.Draw(t, "detail"),
			})
		}
		for carrier, err := range map[string]error{"http": overHTTP(want), "grpc": overGRPC(want)} {
			got, ok := errors.AsType[*Failed](err)
			if !ok {
				t.Fatalf("%s: %v", carrier, err)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Fatalf("%s (-sent +arrived):\n%s", carrier, diff)
			}
		}
	})
}

// overHTTP is a failure as the caller of a service gets it.
func overHTTP(f *Failed) error {
	w := httptest.NewRecorder()
	WriteProblem(w, f)
	return fromProblem("payment", w.Code, w.Body.Bytes())
}

func overGRPC(f *Failed) error { return fromStatus("payment", f.GRPCStatus().Err()) }

// TestEveryReasonKeepsItsStatus over either carrier, also the failure of no step.
func TestEveryReasonKeepsItsStatus(t *testing.T) {
	for reason, want := range reasons {
		f := Fail("", reason, "why")
		if f.Status() != want.status || f.GRPCStatus().Code() != want.code || f.ErrorType() != reason {
			t.Errorf("%s: %d, %s, %s", reason, f.Status(), f.GRPCStatus().Code(), f.ErrorType())
		}
		for carrier, err := range map[string]error{"http": overHTTP(f), "grpc": overGRPC(f)} {
			if got := AsFailed("", err); got.Reason() != reason || got.Status() != want.status {
				t.Errorf("%s over %s became %s, %d", reason, carrier, got.Reason(), got.Status())
			}
		}
	}
	if f := Fail("x", "bad_luck", ""); f.Status() != http.StatusInternalServerError || f.GRPCStatus().Code() != codes.Internal {
		t.Errorf("a reason of a service's own: %d, %s, want its own fault", f.Status(), f.GRPCStatus().Code())
	}
}

func TestAnswersThatAreNoProblem(t *testing.T) {
	for _, body := range []string{"", "<html>", "{}", `{"type":7}`} {
		if got := AsFailed("", fromProblem("payment", 502, []byte(body))); got.Reason() != Internal {
			t.Errorf("%q: %v, want %s", body, got, Internal)
		}
	}
	for code, reason := range map[codes.Code]string{
		codes.DeadlineExceeded: Timeout, codes.Canceled: Cancelled, codes.Unavailable: Unavailable, codes.ResourceExhausted: TooLarge,
		codes.InvalidArgument: BadRequest, codes.Unknown: Internal, codes.Unimplemented: Internal,
	} {
		plain := status.Error(code, "x")
		if got := AsFailed("", fromStatus("payment", plain)); got.Reason() != reason {
			t.Errorf("%s without details: %v, want %s", code, got, reason)
		}
	}
}

func TestAsFailed(t *testing.T) {
	own := Fail("a", "b", "c")
	for _, c := range []struct {
		err  error
		want string
	}{
		{context.DeadlineExceeded, Timeout}, {fmt.Errorf("x: %w", context.Canceled), Cancelled}, {errors.New("x"), Internal}, {fmt.Errorf("x: %w", own), "b"},
	} {
		if got := AsFailed("step", c.err); got.Reason() != c.want {
			t.Errorf("%v: %v, want %s", c.err, got, c.want)
		}
	}
}

// FuzzEvent: no value of a record makes the decoder panic, and an event that it takes has an order and can be written.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{event("a"), `{"order":{"id":"a","quantity":1e3},"failures":[{"step":"x"}]}`, "", "{}", "null", "\xff", `{"order":{"id":"\ud800"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := decodeEvent(value)
		if err != nil {
			if failed, ok := errors.AsType[*Failed](err); !ok || failed.Reason() != "undecodable" {
				t.Fatalf("%q: %v, want undecodable", value, err)
			}
			return
		}
		if e.GetOrder().GetId() == "" {
			t.Fatalf("%q: an event without an order", value)
		}
		text, err := protojson.Marshal(e)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", value, err)
		}
		again, err := decodeEvent(text)
		if diff := cmp.Diff(e, again, protocmp.Transform()); err != nil || diff != "" {
			t.Fatalf("%q: %v (-first +second):\n%s", value, err, diff)
		}
	})
}

// FuzzProblem: whatever a service answers with an error status becomes a failure with a reason.
func FuzzProblem(f *testing.F) {
	good, err := json.Marshal(problemOf(&Failed{Failures: Fail("payment.Charge", "payment_declined", "x").Failures, OrderID: "1"}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"type":"/problems/"}`))
	f.Add([]byte(`{"type":"x","failures":[{}]}`))
	f.Add([]byte(`{"type":"about:blank","instance":"/orders/"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		failed, ok := errors.AsType[*Failed](fromProblem("payment", 500, body))
		if !ok || failed.Reason() == "" || failed.Error() == "" {
			t.Fatalf("%q: %v", body, failed)
		}
	})
}
