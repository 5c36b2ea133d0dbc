package experiments

import (
	"slices"
	"testing"
	"time"

	"tracelab/experiments/verdict"
)

func TestAvailability(t *testing.T) {
	r := judged(t, availability(), smaller{32, 3}, smaller{12, 2})
	r.near(t, "kafka", answeredInTime, 0.15)
	r.near(t, withOutbox, answeredInTime, 0.15)
	r.log(t)
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
		grpc, kafka []float64
		want        verdict.Word
	}{
		{"much more often", []float64{0.58, 0.6, 0.55, 0.61}, []float64{0.82, 0.8, 0.83, 0.81}, verdict.Holds},
		{"by just over δ", []float64{0.6, 0.61, 0.62, 0.6}, []float64{0.652, 0.662, 0.672, 0.652}, verdict.Holds},
		{"by just under δ", []float64{0.6, 0.61, 0.62, 0.6}, []float64{0.648, 0.658, 0.668, 0.648}, verdict.DoesNotHold},
		{"as often", []float64{0.8, 0.81, 0.79, 0.8}, []float64{0.8, 0.81, 0.79, 0.8}, verdict.DoesNotHold},
		{"runs differ", []float64{0.5, 0.8, 0.6, 0.7}, []float64{0.8, 0.7, 0.9, 0.6}, verdict.NotShown},
	} {
		var f Figures
		f.PerRun("grpc", answeredInTime+byRun, "share", c.grpc)
		for _, arm := range []string{"kafka", "ack", withOutbox} {
			f.PerRun(arm, answeredInTime+byRun, "share", c.kafka)
		}
		if got := decided(t, availability(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
