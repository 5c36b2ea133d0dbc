package otlp

import (
	"bytes"
	"net/http"
	"runtime/debug"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/internal/testkit"
)

// named are spans of a request, by name.
func named(names ...string) []byte {
	var spans []byte
	for _, name := range names {
		spans = protowire.AppendTag(spans, 2, protowire.BytesType)
		spans = protowire.AppendBytes(spans, testkit.Wrap([]byte(name), 5))
	}
	return testkit.Wrap(spans, 2, 1)
}

// TestOnlySpansThatAreAdmittedAreKept counts the others, of a batch with both and of one with nothing else.
func TestOnlySpansThatAreAdmittedAreKept(t *testing.T) {
	s := &store{}
	r, overGRPC := limited(t, s, 0)
	for _, names := range [][]string{{"own", "foreign", "own"}, {"foreign"}, {}} {
		if err := exportBytes(t, overGRPC, named(names...)); err != nil {
			t.Errorf("%v: %v", names, err)
		}
	}
	got := r.Received()
	if got.Kept != 2 || got.LeftOut != 2 || got.Refused != 0 || len(s.batches) != 1 || len(s.spans(t)) != 2 || got.Bytes != int64(len(s.batches[0])) {
		t.Errorf("%+v in %d batches", got, len(s.batches))
	}
}

// TestABudgetIsKept sends more than it allows: what was taken stays, and what was not is refused and counted.
func TestABudgetIsKept(t *testing.T) {
	s := &store{}
	r, overGRPC := limited(t, s, 10_000)
	_, overHTTP := r.Addresses()
	body := named(string(bytes.Repeat([]byte("own"), 1000)))
	for range 3 {
		if err := exportBytes(t, overGRPC, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := exportBytes(t, overGRPC, body); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("over gRPC: %v", err)
	}
	if status, answer, _ := post(t, http.MethodPost, "http://"+overHTTP+tracesPath, typeProtobuf, "", body); status != http.StatusTooManyRequests {
		t.Errorf("over HTTP: %d %s", status, answer)
	}
	if got := r.Received(); got.Kept != 3 || got.Refused != 2 || got.Bytes > 10_000 || len(s.batches) != 3 {
		t.Errorf("%+v in %d batches", got, len(s.batches))
	}
}

// limited starts a receiver that admits spans whose names begin with "own".
func limited(t *testing.T, s *store, budget int64) (r *Receiver, overGRPC string) {
	t.Helper()
	r, err := StartReceiver(ReceiverConfig{Address: "127.0.0.1:0", Keep: s.keep, Logger: discard, MaxBytes: budget,
		Admit: func(s ptrace.Span) bool { return len(s.Name()) >= 3 && s.Name()[:3] == "own" }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	overGRPC, _ = r.Addresses()
	return r, overGRPC
}

func TestTheBudgetFollowsTheMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(64 << 20)
	defer debug.SetMemoryLimit(before)
	if got := DefaultBudget(); got > 8<<20 || got <= 0 {
		t.Errorf("%d bytes of a limit of 64 MiB", got)
	}
}
