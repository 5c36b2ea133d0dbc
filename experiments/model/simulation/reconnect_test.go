package simulation_test

import (
	"testing"
	"time"

	"tracelab/experiments/model/simulation"
)

func TestReconnect(t *testing.T) {
	exact := simulation.Reconnect{First: 100 * ms, Times: 2, Most: 400 * ms} // attempts at 0, 100, 300, 700, 1100, …
	for outage, want := range map[time.Duration]time.Duration{0: 0, 100 * ms: 0, 101 * ms: 199 * ms, 300 * ms: 0, 800 * ms: 300 * ms, 1100 * ms: 0} {
		if got, err := exact.Late(outage, 1, 1); got != want || err != nil {
			t.Errorf("after %v: %v (%v), want %v", outage, got, err, want)
		}
	}
	drawn := exact
	drawn.Jitter = 0.2
	if got, err := drawn.Late(500*ms, 1, 10_000); err != nil || got < 195*ms || got > 205*ms { // the attempt at 700 ms, on average
		t.Errorf("with jitter %v (%v)", got, err)
	}
	for _, wrong := range []simulation.Reconnect{{}, {First: ms, Times: 0.5, Most: ms}, {First: 2 * ms, Times: 1, Most: ms}, {First: ms, Times: 1, Most: ms, Jitter: 1}} {
		if _, err := wrong.Late(ms, 1, 1); err == nil {
			t.Errorf("%+v is not refused", wrong)
		}
	}
	if _, err := exact.Late(-1, 1, 1); err == nil {
		t.Error("an outage below 0 is not refused")
	}
}
