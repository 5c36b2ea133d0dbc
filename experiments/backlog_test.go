package experiments

import (
	"math"
	"slices"
	"testing"
	"time"
)

// Records 1 and 2 are taken at once; 3 to 5 wait while the service is away, from 20 to 50 ms, and a sixth comes meanwhile.
func TestDrained(t *testing.T) {
	began := time.Unix(100, 0)
	ms := func(at float64) int64 { return began.UnixNano() + int64(at*1e6) }
	changes := []queueChange{
		{ms(0), 1}, {ms(1), -1}, {ms(10), 1}, {ms(11), -1}, {ms(25), 1}, {ms(35), 1}, {ms(45), 1},
		{ms(50), -1}, {ms(55), 1}, {ms(60), -1}, {ms(70), -1}, {ms(80), -1},
	}
	if waiting, until := drained(changes, began.Add(20*time.Millisecond)); waiting != 3 || until != 30 {
		t.Errorf("%g waited, and %g ms passed until none did; want 3 and 30", waiting, until)
	}
	if waiting, until := drained(changes[:7], began.Add(20*time.Millisecond)); !math.IsNaN(waiting) || !math.IsNaN(until) {
		t.Errorf("%g waited, and %g ms passed, of a service that never came back", waiting, until)
	}
	if at, records := curveOf(changes, began); !slices.Equal(at, []float64{0, 0.05}) || !slices.Equal(records, []float64{1, 2}) {
		t.Errorf("curve %v at %v, want 1 and 2 records at 0 and 0.05 s", records, at)
	}
}
