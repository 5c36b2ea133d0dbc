package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

func TestServiceDown(t *testing.T) {
	r := judged(t, serviceDown(), smaller{100, 2}, smaller{40, 2})
	r.valid(t)
	r.near(t, "kafka", backlogThen, 4)
	r.near(t, "kafka", catchUp, 200)
	r.near(t, "grpc", afterErrors, 0.3) // an attempt to connect comes at most 0.84 s after the outage, and 2 s are left
	r.log(t)
}

func TestServiceDownDecides(t *testing.T) {
	for _, c := range []struct {
		name        string
		grpc, kafka []int // client errors of 80 in each run
		lost        int
		want        verdict.Word
	}{
		{"all of grpc's, none of kafka's", []int{80, 79, 80}, []int{0, 0, 0}, 0, verdict.Holds},
		{"grpc's are over one half, kafka's are few", []int{48, 48, 48}, []int{1, 1, 1}, 0, verdict.Holds},
		{"grpc's are one half", []int{40, 40, 40}, []int{0, 0, 0}, 0, verdict.NotShown},
		{"grpc's are under one half", []int{32, 32, 32}, []int{0, 0, 0}, 0, verdict.DoesNotHold},
		{"kafka's are at the line", []int{80, 80, 80}, []int{4, 4, 4}, 0, verdict.NotShown},
		{"kafka's are over the line", []int{80, 80, 80}, []int{10, 10, 10}, 0, verdict.DoesNotHold},
		{"one of kafka's is lost", []int{80, 80, 80}, []int{0, 0, 0}, 1, verdict.DoesNotHold},
		{"runs differ", []int{80, 20, 80}, []int{0, 0, 0}, 0, verdict.NotShown},
	} {
		var f Figures
		f.share("grpc", duringErrors, c.grpc...)
		f.share("kafka", duringErrors, c.kafka...)
		f.Count("kafka", answeredAlone, c.lost, 600)
		if got := decided(t, serviceDown(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
