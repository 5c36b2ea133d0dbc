package http

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
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
func over(f *carrier.Failed) error {
	w := httptest.NewRecorder()
	named := *f
	named.Terms = &carrier.Terms{Path: "/orders"}
	WriteProblem(w, &named)
	return fromProblem("payment", w.Result(), w.Body.Bytes())
}

func TestAnswersThatAreNoProblem(t *testing.T) {
	for _, body := range []string{"", "<html>", "{}", `{"type":7}`} {
		if got := carrier.AsFailed("", fromProblem("payment", &http.Response{StatusCode: 502}, []byte(body))); got.Reason() != carrier.Internal {
			t.Errorf("%q: %v, want %s", body, got, carrier.Internal)
		}
	}
}

// FuzzProblem: whatever a service answers with an error status becomes a failure with a reason.
func FuzzProblem(f *testing.F) {
	good, err := json.Marshal(problemOf(&carrier.Failed{Failures: carrier.Fail("payment.Charge", "payment_declined", "x").Failures, OrderID: "1"}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"type":"/problems/"}`))
	f.Add([]byte(`{"type":"x","failures":[{}]}`))
	f.Add([]byte(`{"type":"about:blank","instance":"/orders/"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		failed, ok := errors.AsType[*carrier.Failed](fromProblem("payment", &http.Response{StatusCode: 500}, body))
		if !ok || failed.Reason() == "" || failed.Error() == "" {
			t.Fatalf("%q: %v", body, failed)
		}
	})
}
