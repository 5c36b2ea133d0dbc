package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

func TestDurability(t *testing.T) {
	r := judged(t, durability(), smaller{100, 5}, smaller{50, 1})
	r.near(t, "ack", acceptedLost, 0.02)
	r.log(t)
}

func TestDurabilityDecides(t *testing.T) {
	for _, c := range []struct {
		name           string
		ack, kafka, of int // lost of accepted ones
		want           verdict.Word
	}{
		{"ack loses some, kafka none", 24, 0, 700, verdict.Holds},
		{"ack loses one", 1, 0, 700, verdict.Holds},
		{"nobody loses any", 0, 0, 700, verdict.DoesNotHold},
		{"kafka loses one", 24, 1, 700, verdict.DoesNotHold},
		{"too few to rule a loss out", 24, 0, 300, verdict.NotShown},
	} {
		var f Figures
		f.Count("ack", acceptedLost, c.ack, c.of)
		f.Count("kafka", acceptedLost, c.kafka, c.of)
		if got := decided(t, durability(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
