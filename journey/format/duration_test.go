package format_test

import (
	"testing"
	"time"

	"tracelab/journey/format"
)

func TestDuration(t *testing.T) {
	for ns, want := range map[time.Duration]string{
		0: "0 s", 1: "1 ns", 999: "999 ns", 1_000: "1.00 µs", 9_994: "9.99 µs", 9_996: "10.0 µs", 870_000: "870 µs", 999_499: "999 µs", 999_500: "1.00 ms",
		51_234_567: "51.2 ms", 99_960_000: "100 ms", 1_240_000_000: "1.24 s", 123_456_000_000: "123 s", 5_000_000_000_000: "5000 s", -1_500_000: "-1.50 ms",
	} {
		if got := format.Duration(ns); got != want {
			t.Errorf("%d ns is written %s, want %s", ns, got, want)
		}
	}
}
