package main

import "testing"

// TestWhichOfSaysWhatAddsUp: a file of sampled orders has fewer journeys than their numbers say.
func TestWhichOfSaysWhatAddsUp(t *testing.T) {
	for _, c := range []struct {
		number   string
		journeys int
		want     string
	}{
		{"", 3, "1 of 3"},
		{"3", 20, "order 3 of 20"},
		{"20", 20, "order 20 of 20"},
		{"39", 18, "order 39, one of 18"},
		{"x", 18, "order x of 18"},
	} {
		if got := whichOf(c.number, c.journeys); got != c.want {
			t.Errorf("order %q of %d journeys: %q, want %q", c.number, c.journeys, got, c.want)
		}
	}
}
