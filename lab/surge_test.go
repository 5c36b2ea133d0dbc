package lab

import (
	"strings"
	"testing"
	"time"

	"tracelab/services/flows"
)

func TestASurgeMovesIntendedStarts(t *testing.T) {
	surge, err := ParseSurge("1s:500ms:5")
	if err != nil || surge.String() != "1s:500ms:5" {
		t.Fatalf("%v: %v", surge, err)
	}
	const ms = time.Millisecond
	for place, want := range map[int]time.Duration{0: 0, 20: 500 * ms, 40: 1000 * ms, 45: 1025 * ms, 140: 1500 * ms, 180: 2500 * ms} { // 40, 100 and then 40 a second
		if got := surge.due(place, 40); got != want {
			t.Errorf("order %d is due at %v, want %v", place, got, want)
		}
		if got, even := (Surge{}).due(place, 40), time.Duration(place)*25*ms; got != even {
			t.Errorf("without a surge order %d is due at %v, want %v", place, got, even)
		}
	}
	for place := range 300 { // also in a lull
		lull := Surge{At: time.Second, Lasts: 500 * ms, Times: 0.25}
		if lull.due(place+1, 40) <= lull.due(place, 40) {
			t.Errorf("order %d is due no later than the one before", place+1)
		}
	}
}

func TestSurgesThatCannotBe(t *testing.T) {
	for text, word := range map[string]string{
		"": "TIME:LENGTH:TIMES", "2s:5": "TIME:LENGTH:TIMES", "2:1s:5": "a time of the run", "2s:1:5": "a duration such as", "2s:1s:x": "multiplied by",
		"-1s:1s:5": "from 0s", "2s:0s:5": "over 0s", "2s:-1s:5": "over 0s", "2s:1s:0": "over 0", "2s:1s:NaN": "over 0", "2s:1s:1e9": "up to 1000",
	} {
		if _, err := ParseSurge(text); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v, want an error with %q", text, err, word)
		}
	}
	surge := Surge{At: 2 * time.Second, Lasts: time.Second, Times: 5}
	for word, c := range map[string]Config{
		"more orders": {Surge: surge, Orders: 10, Rate: 40}, "leave out --clients": {Surge: surge, Orders: 100, Clients: 2}, "from 0s": {Surge: Surge{At: -1, Lasts: 1, Times: 1}},
	} {
		c.Flow = flows.Order()
		if _, err := c.withDefaults(); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%+v: %v, want an error with %q", c.Surge, err, word)
		}
	}
}
