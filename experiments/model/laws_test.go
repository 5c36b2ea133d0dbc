package model_test

import (
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/experiments/model"
)

func TestBounds(t *testing.T) {
	payment := model.Station{Service: 20 * ms, Workers: 2}
	if c, err := payment.Capacity(); c != 100 || err != nil {
		t.Errorf("capacity %g %v, want 100/s", c, err)
	}
	if x, err := model.ClosedLoop(4, 60*ms, 20*ms); !near(x, 50, 1e-9) || err != nil {
		t.Errorf("closed loop %g %v, want 50/s", x, err)
	}
	for callers, want := range map[int]float64{4: 50, 8: 100, 16: 100} {
		if x, err := model.ThroughputBound(callers, 60*ms, 20*ms, payment, model.Station{Service: ms, Workers: 1}); !near(x, want, 1e-9) || err != nil {
			t.Errorf("%d callers: %g %v, want %g/s", callers, x, err, want)
		}
	}
	if n, err := model.Little(40, 250*ms); n != 10 || err != nil {
		t.Errorf("Little: %g %v, want 10", n, err)
	}
	if _, err := model.ClosedLoop(1, 0, 0); err == nil {
		t.Error("a loop that takes no time is not refused")
	}
	if _, err := model.ThroughputBound(1, ms, 0, model.Station{}); err == nil {
		t.Error("a station without workers is not refused")
	}
	if _, err := model.Little(-1, ms); err == nil {
		t.Error("a negative rate is not refused")
	}
}

func TestAttempts(t *testing.T) {
	for _, c := range []struct {
		p       float64
		retries int
		want    float64
	}{{0, 3, 1}, {0.3, 0, 1}, {0.5, 1, 1.5}, {0.3, 3, 1.417}, {1, 3, 4}} {
		if n, err := model.Attempts(c.p, c.retries); !near(n, c.want, 1e-12) || err != nil {
			t.Errorf("p = %g, %d retries: %g %v, want %g", c.p, c.retries, n, err, c.want)
		}
	}
	if p, err := model.Succeeds(0.5, 2); p != 0.875 || err != nil {
		t.Errorf("succeeds %g %v", p, err)
	}
	if n, err := model.NestedAttempts(3, 3); n != 64 || err != nil {
		t.Errorf("3 retries over 3 callers: %g %v, want 64", n, err)
	}
	if f, err := model.BudgetedLoad(0.1); f != 1.1 || err != nil {
		t.Errorf("budget: %g %v", f, err)
	}
	if _, err := model.NestedAttempts(100, 100); err == nil {
		t.Error("101^100 is not refused")
	}
	if _, err := model.Attempts(1.1, 1); err == nil {
		t.Error("a probability of 1.1 is not refused")
	}
	if _, err := model.Attempts(0.5, -1); err == nil {
		t.Error("retries below 0 are not refused")
	}
	if _, err := model.BudgetedLoad(-1); err == nil {
		t.Error("a budget below 0 is not refused")
	}
}

func TestAvailability(t *testing.T) {
	parts := model.Parts{"gateway": 0.99, "orders": 0.98, "inventory": 0.97, "payment": 0.9, "broker": 0.999, "wrong": 2}
	for _, c := range []struct {
		what  string
		names []string
		want  float64
	}{
		{"call tree", []string{"gateway", "orders", "inventory", "payment"}, 0.99 * 0.98 * 0.97 * 0.9},
		{"front and broker", []string{"gateway", "orders", "broker"}, 0.99 * 0.98 * 0.999},
		{"a part that is needed twice", []string{"orders", "orders"}, 0.98},
		{"nothing", nil, 1},
	} {
		if a, err := parts.AllOf(c.names...); !near(a, c.want, 1e-12) || err != nil {
			t.Errorf("%s: %g %v, want %g", c.what, a, err, c.want)
		}
	}
	for _, name := range []string{"wrong", "unknown"} {
		if _, err := parts.AllOf(name); err == nil {
			t.Errorf("%s is not refused", name)
		}
	}
	if a, err := model.Replicated(0.9, 2); !near(a, 0.99, 1e-12) || err != nil {
		t.Errorf("two copies: %g %v", a, err)
	}
	if _, err := model.Replicated(0.9, 0); err == nil {
		t.Error("no copies are not refused")
	}
}

func TestStaleShare(t *testing.T) {
	tails := []time.Duration{10 * ms, 20 * ms, 30 * ms, 40 * ms}
	for after, want := range map[time.Duration]float64{0: 1, 20 * ms: 0.5, 40 * ms: 0} {
		if share, err := model.StaleShare(tails, after); share != want || err != nil {
			t.Errorf("after %v: %g %v, want %g", after, share, err, want)
		}
	}
	if _, err := model.StaleShare(nil, ms); err == nil {
		t.Error("no tails are not refused")
	}
	if _, err := model.StaleShare(tails, -1); err == nil {
		t.Error("a read before the answer is not refused")
	}
}

func TestBatch(t *testing.T) {
	b := model.Batch{Fixed: 10 * ms, PerRecord: 100 * time.Microsecond, Size: 100}
	if c, err := b.Cost(); c != 200*time.Microsecond || err != nil {
		t.Errorf("cost %v %v, want 0.2 ms", c, err)
	}
	if w, err := b.Wait(990); w != 50*ms || err != nil {
		t.Errorf("wait %v %v, want 50 ms", w, err)
	}
	if _, err := (model.Batch{}).Cost(); err == nil {
		t.Error("an empty batch is not refused")
	}
	if _, err := b.Wait(0); err == nil {
		t.Error("no records are not refused")
	}
}

// The claim provisioning: 200/s of payments of 18.4 ms for a second need 4 workers at once, and 2 when they may queue for a second.
func TestProvisioning(t *testing.T) {
	const service = 18445 * time.Microsecond
	if n, err := model.PeakWorkers(200, service, 1); n != 6 || err != nil {
		t.Errorf("peak %d %v, want 6", n, err)
	}
	if n, err := model.BacklogWorkers(model.Overload{Arrivals: 200, Lasts: time.Second}, 40, service, time.Second); n != 2 || err != nil {
		t.Errorf("backlog %d %v, want 2", n, err)
	}
	if n, err := model.BacklogWorkers(model.Overload{Arrivals: 200, Lasts: time.Second}, 150, service, time.Hour); n != 3 || err != nil {
		t.Errorf("backlog that may last: %d %v, want the 3 of the mean", n, err)
	}
	for beta, want := range map[float64]float64{1: 0.2234, 2: 0.0269} {
		if p, err := model.PeakWaitProbability(beta); !near(p, want, 1e-4) || err != nil {
			t.Errorf("beta %g: %g %v, want %g", beta, p, err, want)
		}
	}
	// Within one worker of Erlang C from one busy worker on.
	for _, offered := range []float64{1, 3, 10, 50, 400} {
		n, err := model.PeakWorkers(offered*100, 10*ms, 1)
		if err != nil {
			t.Fatal(err)
		}
		above, _ := model.MMN(model.Load{Arrivals: offered * 100, Service: 10 * ms, Workers: n + 1})
		if n > 2 {
			if below, err := model.MMN(model.Load{Arrivals: offered * 100, Service: 10 * ms, Workers: n - 1}); err == nil && below.WaitProbability < 0.2234 {
				t.Errorf("%g Erlang: %d workers are two too many", offered, n)
			}
		}
		if above.WaitProbability > 0.2234 {
			t.Errorf("%g Erlang: %d workers are two too few: %g wait", offered, n, above.WaitProbability)
		}
	}
	if _, err := model.PeakWorkers(10, ms, 1); err == nil {
		t.Error("a hundredth of a worker is not refused")
	}
	if _, err := model.BacklogWorkers(model.Overload{Arrivals: 1e9, Lasts: time.Second}, 40, service, ms); err == nil {
		t.Error("a million workers are not refused")
	}
	if _, err := model.PeakWaitProbability(0); err == nil {
		t.Error("a beta of 0 is not refused")
	}
}

func TestScalabilityFindsItsParameters(t *testing.T) {
	workers := []float64{1, 2, 4, 8, 16}
	rapid.Check(t, func(t *rapid.T) {
		want := model.Scalability{
			Rate:       rapid.Float64Range(1, 1e4).Draw(t, "rate"),
			Contention: rapid.SampledFrom([]float64{0, 0.01, 0.3}).Draw(t, "contention"),
			Coherency:  rapid.SampledFrom([]float64{0, 0.001, 0.05}).Draw(t, "coherency"),
		}
		var throughputs []float64
		for _, n := range workers {
			x, err := want.Throughput(n)
			if err != nil {
				t.Fatal(err)
			}
			throughputs = append(throughputs, x)
		}
		got, err := model.FitScalability(workers, throughputs)
		if err != nil || !near(got.Rate/want.Rate, 1, 1e-6) || !near(got.Contention, want.Contention, 1e-6) || !near(got.Coherency, want.Coherency, 1e-6) {
			t.Fatalf("%+v %v, want %+v", got, err, want)
		}
	})
	// Faster than linear: no negative contention comes out.
	if s, err := model.FitScalability([]float64{1, 2, 4}, []float64{10, 21, 44}); err != nil || s.Contention != 0 || s.Coherency != 0 {
		t.Errorf("superlinear: %+v %v, want no contention and no coherency", s, err)
	}
	for what, x := range map[string][]float64{"two sizes": {1, 2, 2}, "zero": {0, 1, 2}, "infinite": {math.Inf(1), 1, 2}} {
		if _, err := model.FitScalability(x, []float64{1, 2, 3}); err == nil {
			t.Errorf("%s: not refused", what)
		}
	}
	if _, err := model.FitScalability(workers, []float64{1}); err == nil {
		t.Error("a missing throughput is not refused")
	}
}

// The hashes are those of Kafka's own tests of Utils.murmur2, as partitions of 1000 (without the sign bit).
func TestPartitionsAreKafkas(t *testing.T) {
	for key, hash := range map[string]int64{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
	} {
		loads, err := model.PartitionLoads([]string{key}, 1000)
		if want := int(hash & 0x7fffffff % 1000); err != nil || loads[want] != 1 {
			t.Errorf("%s is not on partition %d (%v)", key, want, err)
		}
	}
	if _, err := model.PartitionLoads([]string{""}, 8); err == nil {
		t.Error("an empty key is not refused")
	}
	if _, err := model.PartitionLoads(nil, 0); err == nil {
		t.Error("no partitions are not refused")
	}
}

func TestMakespan(t *testing.T) {
	loads := []int{5, 1, 4, 2}
	if d, err := model.Makespan(loads, [][]int{{0, 1}, {2, 3}}, ms); d != 6*ms || err != nil {
		t.Errorf("makespan %v %v, want 6 ms", d, err)
	}
	for consumers, want := range map[int][2]time.Duration{1: {12 * ms, 12 * ms}, 2: {6 * ms, 9 * ms}, 3: {5 * ms, 9 * ms}, 4: {5 * ms, 5 * ms}, 9: {5 * ms, 5 * ms}} {
		least, greatest, err := model.MakespanBounds(loads, consumers, ms)
		if least != want[0] || greatest != want[1] || err != nil {
			t.Errorf("%d consumers: %v to %v %v, want %v", consumers, least, greatest, err, want)
		}
	}
	for what, assigned := range map[string][][]int{"a partition twice": {{0, 1}, {1, 2, 3}}, "one left over": {{0, 1, 2}}, "an unknown one": {{0, 1, 2, 3, 4}}} {
		if _, err := model.Makespan(loads, assigned, ms); err == nil {
			t.Errorf("%s: not refused", what)
		}
	}
	if _, _, err := model.MakespanBounds(nil, 1, ms); err == nil {
		t.Error("no partitions are not refused")
	}
	if _, _, err := model.MakespanBounds(loads, 0, ms); err == nil {
		t.Error("no consumers are not refused")
	}
}

// Every balanced assignment lies between the bounds.
func TestMakespanBoundsHold(t *testing.T) {
	var keys []string
	for i := range 400 {
		keys = append(keys, "order-"+strconv.Itoa(i))
	}
	loads, err := model.PartitionLoads(keys, 8)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7}).Draw(t, "order")
		consumers := rapid.SampledFrom([]int{1, 2, 3, 4, 8}).Draw(t, "consumers")
		assigned := make([][]int, consumers)
		for i, p := range order {
			assigned[i%consumers] = append(assigned[i%consumers], p)
		}
		d, err := model.Makespan(loads, assigned, ms)
		least, greatest, err2 := model.MakespanBounds(loads, consumers, ms)
		if err != nil || err2 != nil || d < least || d > greatest {
			t.Fatalf("%v is not between %v and %v (%v, %v)", d, least, greatest, err, err2)
		}
	})
}
