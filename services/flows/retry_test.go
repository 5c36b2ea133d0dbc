package flows

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestARetryIsRead: in each spelling that a file may have, and as it writes itself.
func TestARetryIsRead(t *testing.T) {
	for text, want := range map[string]Retry{
		`"3 within 2s, backoff 50ms"`:       {3, 2 * time.Second, 50 * time.Millisecond},
		"5 within 500ms":                    {5, 500 * time.Millisecond, defaultBackoff},
		"1":                                 {1, defaultWithin, defaultBackoff},
		"3 within 2s, backoff 60ms, cpu: 7": {3, 2 * time.Second, 60 * time.Millisecond},
		`"2,backoff 1ms"`:                   {2, defaultWithin, time.Millisecond},
		`"` + (Retry{20, 60e9, 10e9}).String() + `"`: {20, time.Minute, 10 * time.Second},
	} {
		f, err := Parse("p.yaml", []byte(strings.Replace(small, "cpu: 5", "retry: "+text, 1)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		row, _ := f.Row("scale.Weigh")
		if row.Retry != want {
			t.Errorf("%s: %v, want %v", text, row.Retry, want)
		}
		if !strings.Contains(row.remark(), "retry "+want.String()) {
			t.Errorf("%s: shown as %q", text, row.remark())
		}
	}
	// In a mapping of one line the comma ends a plain text, as YAML has it.
	block := strings.Replace(small, "scale.Weigh: {after: desk.Take, message: parcel.taken, wait: 2ms, cpu: 5}",
		"scale.Weigh:\n    after: desk.Take\n    message: parcel.taken\n    retry: 3 within 2s, backoff 50ms", 1)
	f, err := Parse("p.yaml", []byte(block))
	if err != nil {
		t.Fatal(err)
	}
	if row, _ := f.Row("scale.Weigh"); row.Retry != (Retry{3, 2 * time.Second, 50 * time.Millisecond}) {
		t.Errorf("without quotes: %v", row.Retry)
	}
}

// TestAttemptsAreBounded: whatever the retry, there are at most so many attempts, each begins in time, and no wait is longer than its bound.
func TestAttemptsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Retry{Times: rapid.IntRange(0, mostRetries).Draw(t, "times"), Within: time.Duration(rapid.Int64Range(1, int64(longestWithin)).Draw(t, "within")),
			Backoff: time.Duration(rapid.Int64Range(1, int64(longestBackoff)).Draw(t, "backoff"))}
		from := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var since time.Duration
		attempts := 1
		for {
			pause, again := r.Next(attempts, since, from)
			if !again {
				break
			}
			attempts++
			if bound := min(r.Backoff<<(attempts-2), longestBackoff); pause < 0 || pause > bound && r.Backoff<<(attempts-2) > 0 {
				t.Fatalf("%v before attempt %d, want at most %v", pause, attempts, bound)
			}
			if since += pause; since > r.Within {
				t.Fatalf("attempt %d begins after %v, want it within %v", attempts, since, r.Within)
			}
			since += time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "work"))
		}
		if attempts > r.Times+1 {
			t.Fatalf("%d attempts, want at most %d", attempts, r.Times+1)
		}
	})
}
