package experiments

import (
	"os"
	"strconv"
	"testing"

	"tracelab/experiments/verdict"
)

func TestBrokersDecides(t *testing.T) {
	for _, c := range []struct {
		name                      string
		undone, twice, others     int // of rabbitmq
		publish, queue, all, wait float64
		want                      verdict.Word
	}{
		{"both do it, one is slower", 0, 0, 0, 3, 2, 60, 6, verdict.Holds},
		{"both do it, the other is slower", 0, 0, 0, 0.2, 0.1, 40, 3, verdict.Holds},
		{"one order is not completed", 1, 0, 0, 1, 1, 50, 4, verdict.DoesNotHold},
		{"one step is done twice", 0, 1, 0, 1, 1, 50, 4, verdict.DoesNotHold},
		{"one goes over the other broker", 0, 0, 1, 1, 1, 50, 4, verdict.DoesNotHold},
	} {
		var f Figures
		for _, form := range brokerForms() {
			add, undone, twice, others := 0.0, 0, 0, 0
			if form == "rabbitmq" {
				add, undone, twice, others = 1, c.undone, c.twice, c.others
			}
			for measure, is := range map[string]float64{publishTime: c.publish, QueueWait: c.queue, Completion: c.all, Wait: c.wait} {
				values := make([]float64, 30)
				for i := range values {
					values[i] = add*is + float64(i%5)/100
				}
				f.PerOrder(string(form), measure, "ms", values)
			}
			f.Count(string(form), notDone, undone, 150)
			f.Count(string(form), doneTwice, twice, 1050)
			f.Count(string(form), elsewhere, others, 150)
		}
		if got := decided(t, brokers(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Without the brokers that it compares, the claim is not valid, and says what to start.
func TestBrokersNeedsBoth(t *testing.T) {
	ledger := virtually(t, []Claim{brokers()}, nil, func(s *Settings) { s.Kafka = nil })
	r := ledger.Claims[0]
	if r.Verdict != verdict.NotValid || len(r.Failed()) != 2 || r.Labs != 0 {
		t.Errorf("%s with gates %+v after %d labs", r.Verdict, r.Failed(), r.Labs)
	}
}

func TestResidentMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("this system has no /proc")
	}
	if used, err := residentMemory(strconv.Itoa(os.Getpid())); err != nil || used < 1<<20 {
		t.Errorf("%d bytes: %v", used, err)
	}
}
