package carrier

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"
)

// TestEveryReasonKeepsItsStatus: what HTTP and gRPC call it.
func TestEveryReasonKeepsItsStatus(t *testing.T) {
	for reason, want := range reasons {
		f := Fail("", reason, "why")
		if f.Status() != want.status || f.GRPCStatus().Code() != want.code || f.ErrorType() != reason {
			t.Errorf("%s: %d, %s, %s", reason, f.Status(), f.GRPCStatus().Code(), f.ErrorType())
		}
	}
	if f := Fail("x", "bad_luck", ""); f.Status() != http.StatusInternalServerError || f.GRPCStatus().Code() != codes.Internal {
		t.Errorf("a reason of a service's own: %d, %s, want its own fault", f.Status(), f.GRPCStatus().Code())
	}
}

// TestAFlowsOwnReasonHasItsStatus: a reason that a flow names is no fault of the service.
func TestAFlowsOwnReasonHasItsStatus(t *testing.T) {
	terms := &Terms{Path: "/rides", Reasons: map[string]int{"no_driver": 409, "no_ride": 404, "odd_ride": 422}}
	for reason, code := range map[string]codes.Code{"no_driver": codes.FailedPrecondition, "no_ride": codes.NotFound, "odd_ride": codes.InvalidArgument} {
		f := Fail("", reason, "")
		f.Terms = terms
		if f.Status() != terms.Reasons[reason] || f.GRPCStatus().Code() != code {
			t.Errorf("%s: %d, %s", reason, f.Status(), f.GRPCStatus().Code())
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

// event is the JSON of an event of an order.
func event(id string) string { return fmt.Sprintf(`{"order":{"id":%q},"steps":["orders.Accept"]}`, id) }

// FuzzEvent: no value of a record makes the decoder panic, and an event that it takes has an order and can be written.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{event("a"), `{"order":{"id":"a","body":{"quantity":"1e3"}},"failures":[{"step":"x"}]}`, "", "{}", "null", "\xff", `{"order":{"id":"\ud800"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := DecodeEvent(value)
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
		again, err := DecodeEvent(text)
		if diff := cmp.Diff(e, again, protocmp.Transform()); err != nil || diff != "" {
			t.Fatalf("%q: %v (-first +second):\n%s", value, err, diff)
		}
	})
}
