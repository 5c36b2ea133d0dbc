package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

func TestBrokerDown(t *testing.T) {
	r := judged(t, brokerDown(), smaller{72, 3}, smaller{20, 2})
	r.valid(t)
	r.near(t, withoutOutbox, heldUp, 0.2)
	r.log(t)
}

func TestBrokerDownDecides(t *testing.T) {
	for _, c := range []struct {
		name    string
		off, on []int // of 80 in each run
		lost    int
		want    verdict.Word
	}{
		{"most without an outbox, none with one", []int{64, 65, 64}, []int{0, 0, 0}, 0, verdict.Holds},
		{"just over one half", []int{48, 48, 48}, []int{1, 1, 1}, 0, verdict.Holds},
		{"one half", []int{40, 40, 40}, []int{0, 0, 0}, 0, verdict.NotShown},
		{"under one half", []int{30, 30, 30}, []int{0, 0, 0}, 0, verdict.DoesNotHold},
		{"too many with an outbox", []int{64, 64, 64}, []int{10, 10, 10}, 0, verdict.DoesNotHold},
		{"at the line with an outbox", []int{64, 64, 64}, []int{4, 4, 4}, 0, verdict.NotShown},
		{"one is lost", []int{64, 64, 64}, []int{0, 0, 0}, 1, verdict.DoesNotHold},
	} {
		var f Figures
		f.share(withoutOutbox, heldUp, c.off...)
		f.share(withOutbox, heldUp, c.on...)
		f.share("grpc", heldUp, 0, 0, 0)
		f.Count(withOutbox, answeredAlone, c.lost, 600)
		if got := decided(t, brokerDown(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
