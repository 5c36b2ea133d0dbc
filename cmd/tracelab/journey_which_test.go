package main

import (
	"bytes"
	"strings"
	"testing"
)

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

// TestAnInputThatNamesNoTrace is one that cannot be read, as a file that is not there.
func TestAnInputThatNamesNoTrace(t *testing.T) {
	var out, talk bytes.Buffer
	status := run(t.Context(), []string{"journey", "jaeger:zz"}, nil, &out, &talk)
	if want := `jaeger:zz: trace id "zz": want up to 32 hexadecimal digits`; status != exitUnread || !strings.Contains(talk.String(), want) {
		t.Errorf("exit status %d, %s; want %d with %s", status, talk.String(), exitUnread, want)
	}
}
