package tracecontext_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"tracelab/tracecontext"
)

func TestLogOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := tracecontext.New(tracecontext.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
		broken := propagation.MapCarrier{"traceparent": "secret"}
		lines := func(want int, mustHave string) {
			t.Helper()
			if n := strings.Count(out.String(), "\n"); n != want || !strings.Contains(out.String(), mustHave) {
				t.Fatalf("log has %d records, want %d and %q:\n%s", n, want, mustHave, out.String())
			}
		}
		for range 100 {
			p.Extract(t.Context(), broken)
		}
		lines(1, "traceparent_version=1")
		time.Sleep(time.Minute - time.Nanosecond)
		p.Extract(t.Context(), broken)
		lines(1, "")
		time.Sleep(time.Nanosecond)
		p.Extract(t.Context(), propagation.MapCarrier{"traceparent": "00-"})
		lines(2, "traceparent_malformed=1 traceparent_version=100")
		if strings.Contains(out.String(), "secret") {
			t.Error("a value from outside is in the log")
		}
		if n := p.Refusals().Count(tracecontext.TraceparentVersion); n != 101 {
			t.Errorf("%d counted, want 101", n)
		}
	})
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := tracecontext.TraceparentDoubled; r <= tracecontext.BaggageBytes; r++ {
		if r.String() == "" || seen[r.String()] {
			t.Errorf("reason %d has the name %q, which is empty or taken", r, r)
		}
		seen[r.String()] = true
	}
}
