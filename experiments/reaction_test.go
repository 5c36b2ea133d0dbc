package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

func TestReaction(t *testing.T) {
	r := judged(t, reaction(), smaller{84, 3}, smaller{36, 2})
	r.valid(t)
	r.near(t, "grpc", duringErrors, 0.1)
	r.log(t)
}

func TestReactionDecides(t *testing.T) {
	for _, c := range []struct {
		name          string
		grpc, kafka   []int // client errors of 80 in each run
		silent, twice int
		want          verdict.Word
	}{
		{"all of grpc's, none of kafka's", []int{80, 79, 80}, []int{0, 0, 0}, 0, 0, verdict.Holds},
		{"grpc's are one half", []int{40, 40, 40}, []int{0, 0, 0}, 0, 0, verdict.NotShown},
		{"kafka's are over the line", []int{80, 80, 80}, []int{10, 10, 10}, 0, 0, verdict.DoesNotHold},
		{"nobody is told of one", []int{80, 80, 80}, []int{0, 0, 0}, 1, 0, verdict.DoesNotHold},
		{"one is told of twice", []int{80, 80, 80}, []int{0, 0, 0}, 0, 1, verdict.DoesNotHold},
	} {
		var f Figures
		f.share("grpc", duringErrors, c.grpc...)
		f.share("kafka", duringErrors, c.kafka...)
		f.Count("kafka", unnotified, c.silent, 240)
		f.Count("kafka", doneTwice, c.twice, 960)
		if got := decided(t, reaction(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
