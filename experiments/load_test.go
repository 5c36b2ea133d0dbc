package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

func TestRetryStormDecides(t *testing.T) {
	for _, c := range []struct {
		name                  string
		plain, budget, spread float64
		want                  verdict.Word
	}{
		{name: "it does not recover", plain: 0.05, budget: 1, want: verdict.DoesNotHold},
		{name: "it recovers", plain: 1, budget: 1, want: verdict.Holds},
		{name: "it recovers just as far as it must", plain: 0.9, budget: 1, want: verdict.NotShown},
		{name: "it recovers in some runs", plain: 0.7, budget: 1, spread: 0.3, want: verdict.NotShown},
	} {
		var f Figures
		f.shares("grpc, no budget", goodput, c.plain, c.spread)
		f.shares("grpc, budget of 10 %", goodput, c.budget, 0)
		f.shares("kafka", goodput, 1, 0)
		if got := decided(t, retryStorm(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestCallerThroughputDecides(t *testing.T) {
	for _, c := range []struct {
		name           string
		little, kafkas float64 // of the bound, and in multiples of grpc's rate
		spread         float64
		want           verdict.Word
	}{
		{"as Little says, and messages are three times as fast", 1, 3, 0.01, verdict.Holds},
		{"at the line of Little", 1.1, 3, 0, verdict.Holds},
		{"beyond the line of Little", 1.11, 3, 0, verdict.DoesNotHold},
		{"messages are twice as fast, not more", 1, 2, 0, verdict.DoesNotHold},
		{"messages are hardly twice as fast", 1, 2.05, 0.1, verdict.NotShown},
		{"as fast", 1, 1, 0.01, verdict.DoesNotHold},
	} {
		var f Figures
		for _, n := range callers() {
			rate := 14 * float64(n)
			f.PerRun(armOf("grpc", n), callerRate, "orders/s", around(rate, 0))
			f.PerRun(armOf("grpc", n), ofLittle, "", around(c.little, c.spread))
			f.PerRun(armOf("kafka", n), callerRate, "orders/s", around(c.kafkas*rate, c.spread*rate))
		}
		if got := decided(t, callerThroughput(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestRateLimitDecides(t *testing.T) {
	for _, c := range []struct {
		name        string
		grpc        float64 // of kafka's
		spread      float64
		want        verdict.Word
		withWorkers int // at which alone grpc is so; 0: at each
	}{
		{name: "as many as by messages", grpc: 1, spread: 0.02, want: verdict.DoesNotHold},
		{name: "half as many", grpc: 0.5, spread: 0.02, want: verdict.Holds},
		{name: "just over the line", grpc: 0.84, want: verdict.Holds},
		{name: "just short of the line", grpc: 0.86, want: verdict.DoesNotHold},
		{name: "on both sides of it", grpc: 0.85, spread: 0.05, want: verdict.NotShown},
		{name: "half as many with 8 workers alone", grpc: 0.5, withWorkers: 8, want: verdict.DoesNotHold},
	} {
		var f Figures
		for _, n := range []int{2, 4, 8} {
			capacity, of := 49*float64(n), c.grpc
			if c.withWorkers != 0 && n != c.withWorkers {
				of = 1
			}
			f.PerRun(armOf("kafka", n), knee, "orders/s", around(capacity, 0))
			f.PerRun(armOf("grpc", n), knee, "orders/s", around(of*capacity, c.spread*capacity))
		}
		if got := decided(t, rateLimit(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestOverloadGoodputDecides(t *testing.T) {
	for _, c := range []struct {
		name        string
		grpc, kafka float64 // of the rate at 0.8 times
		want        verdict.Word
	}{
		{"calls collapse, messages do not", 0.1, 1.1, verdict.Holds},
		{"calls lose just enough", 0.79, 1.1, verdict.Holds},
		{"calls lose too little", 0.8, 1.1, verdict.DoesNotHold},
		{"both collapse", 0.1, 0.1, verdict.DoesNotHold},
		{"none does", 1.1, 1.1, verdict.DoesNotHold},
	} {
		var f Figures
		for form, of := range map[string]float64{"grpc": c.grpc, "kafka": c.kafka} {
			for times, share := range map[string]float64{"0.8": 1, "1.5": of, "2": of} {
				f.PerRun(form+", "+times+" times", goodRate, "orders/s", around(90*share, 0))
				f.shares(form+", "+times+" times", goodInTime, 0.5, 0)
			}
		}
		if got := decided(t, overloadGoodput(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestProvisioningDecides(t *testing.T) {
	for _, c := range []struct {
		name        string
		p99, spread float64
		kafka, grpc float64 // client errors
		want        verdict.Word
	}{
		{"kafka keeps the objective, and grpc with one more does not", 940, 20, 0, 0.1, verdict.Holds},
		{"kafka's orders take a little too long", 1000, 0, 0, 0.1, verdict.DoesNotHold},
		{"kafka's orders take too long", 1377, 30, 0, 0.1, verdict.DoesNotHold},
		{"kafka's orders take about as long as they may", 990, 20, 0, 0.1, verdict.NotShown},
		{"kafka refuses some", 940, 20, 0.05, 0.1, verdict.DoesNotHold},
		{"grpc keeps the objective, too", 940, 20, 0, 0, verdict.DoesNotHold},
		{"grpc hardly breaks the objective", 940, 20, 0, 0.012, verdict.NotShown},
	} {
		var f Figures
		f.PerRun(armOf("kafka", kafkaWorkers), peakP99, "ms", around(c.p99, c.spread))
		f.shares(armOf("kafka", kafkaWorkers), objectiveMiss, c.kafka, 0)
		f.shares(armOf("grpc", grpcWorkers), objectiveMiss, c.grpc, 0)
		if got := decided(t, provisioning(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestScaleOutDecides(t *testing.T) {
	for _, c := range []struct {
		name      string
		allowed   float64 // of what the heaviest consumer allows
		by        float64 // 8 consumers by 1
		overtaken int
		want      verdict.Word
	}{
		{"as the hashes allow", 0.99, 6, 0, verdict.Holds},
		{"just within the line", 0.86, 6, 0, verdict.Holds},
		{"slower than the line", 0.84, 6, 0, verdict.DoesNotHold},
		{"more consumers do not help", 0.99, 1, 0, verdict.DoesNotHold},
		{"three times, not more", 0.99, 3, 0, verdict.DoesNotHold},
		{"a record overtook another", 0.99, 6, 1, verdict.DoesNotHold},
	} {
		var f Figures
		for _, n := range consumersOf() {
			rate := 50.0
			if n == 8 {
				rate *= c.by
			}
			f.PerRun(armOf("kafka", n), drainRate, "orders/s", around(rate, 0))
			f.PerRun(armOf("kafka", n), hashAllows, "", around(c.allowed, 0))
			f.Count(armOf("kafka", n), outOfOrder, c.overtaken, 240)
		}
		if got := decided(t, scaleOut(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
