package lab

import (
	"strings"
	"testing"

	"tracelab/services"
)

// TestListed: a link to a search page says how many of the orders the page lists.
func TestListed(t *testing.T) {
	for _, c := range []struct {
		placed, forgotten int
		want              string
	}{
		{100, 0, "every order of kafka"},
		{1500, 0, "every order of kafka"},
		{750, 126, "about 624 of the 750 orders of kafka"},
		{3000, 501, "1500 of the 3000 orders of kafka"},
		{1501, 0, "1500 of the 1501 orders of kafka"},
	} {
		if got := listed("order", "kafka", c.placed, c.forgotten); got != c.want {
			t.Errorf("%d placed, %d forgotten: %q, want %q", c.placed, c.forgotten, got, c.want)
		}
	}
}

// TestNextIsNotWhatWasRun: who has just made a service slow is not told to do so.
func TestNextIsNotWhatWasRun(t *testing.T) {
	for fault, want := range map[string]bool{"": true, "payment:error": true, "payment:delay=200ms@0.5": false} {
		r := &Result{Dir: "runs/1", Forms: map[services.Form]*FormResult{services.GRPC: {}}}
		r.FormOrder = []string{"grpc"}
		if fault != "" {
			r.Faults = []string{fault}
		}
		var b strings.Builder
		r.next(&b)
		if got := strings.Contains(b.String(), "--fault payment:delay=200ms@0.5"); got != want {
			t.Errorf("after %q:\n%s", fault, b.String())
		}
	}
}
