package lab

import "testing"

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
