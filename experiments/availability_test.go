package experiments

import (
	"slices"
	"testing"
	"time"

	"tracelab/experiments/verdict"
)

func TestAvailability(t *testing.T) {
	r := judged(t, availability(), smaller{32, 4}, smaller{12, 4})
	r.near(t, "kafka", answeredInTime, 0.15)
	r.near(t, withOutbox, answeredInTime, 0.15)
	r.log(t)
}

// An order is answered when nothing is away that it needs; outages at one time count once, and a part may be away for longer than its outage.
func TestUpShare(t *testing.T) {
	events := slices.Concat(outage{"payment", time.Second, 2 * time.Second}.events("stop"), outage{"orders", 1500 * time.Millisecond, 3 * time.Second}.events("stop"),
		outage{kafkaPart, 5 * time.Second, 7 * time.Second}.events("stop"))
	more := map[string]time.Duration{"orders": time.Second, kafkaPart: -time.Second}
	for _, c := range []struct {
		needed []string
		want   float64
	}{{nil, 1}, {[]string{"payment"}, 0.9}, {[]string{"payment", "orders"}, 0.7}, {[]string{kafkaPart}, 0.9}, {[]string{"orders", kafkaPart}, 0.65}} {
		if got := upShare(events, c.needed, more, 100, 10*time.Second); got != c.want {
			t.Errorf("%v: %g, want %g", c.needed, got, c.want)
		}
	}
}

// Outages depend on the seed alone, and none lies outside of its run.
func TestOutagesAreDrawn(t *testing.T) {
	const length = 8 * time.Second
	first := drawnOutages(1, length)
	if len(first) != 16 || !slices.Equal(first, drawnOutages(1, length)) || slices.Equal(first, drawnOutages(2, length)) {
		t.Errorf("%v", first)
	}
	for _, e := range first {
		if e.At < 0 || e.At > length {
			t.Errorf("%v is outside of the run", e)
		}
	}
}

func TestAvailabilityDecides(t *testing.T) {
	for _, c := range []struct {
		name        string
		grpc, kafka []int // orders of 100,000 that are answered in time, in each run
		want        verdict.Word
	}{
		{"much more often", []int{58000, 60000, 55000, 61000}, []int{82000, 80000, 83000, 81000}, verdict.Holds},
		{"by just over δ", []int{60000, 61000, 62000, 60000}, []int{65200, 66200, 67200, 65200}, verdict.Holds},
		{"by just under δ", []int{60000, 61000, 62000, 60000}, []int{64800, 65800, 66800, 64800}, verdict.DoesNotHold},
		{"as often", []int{80000, 81000, 79000, 80000}, []int{80000, 81000, 79000, 80000}, verdict.DoesNotHold},
		{"runs differ", []int{50000, 80000, 60000, 70000}, []int{80000, 70000, 90000, 60000}, verdict.NotShown},
	} {
		var f Figures
		f.runsOf(100_000, "grpc", answeredInTime, c.grpc...)
		for _, arm := range []string{"kafka", "ack", withOutbox} {
			f.runsOf(100_000, arm, answeredInTime, c.kafka...)
		}
		if got := decided(t, availability(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
