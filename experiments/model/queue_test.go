package model_test

import (
	"math"
	"testing"
	"time"

	"tracelab/experiments/model"
)

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance }

func TestMM1(t *testing.T) {
	q, err := model.MM1(model.Load{Arrivals: 90, Service: 10 * ms, Workers: 1})
	if err != nil || !near(q.Wait.Seconds(), 0.09, 1e-6) || !near(q.InSystem, 9, 1e-9) || !near(q.WaitProbability, 0.9, 1e-12) {
		t.Errorf("%+v %v, want a wait of 90 ms and 9 in the system", q, err)
	}
	if _, err := model.MM1(model.Load{Arrivals: 1, Service: ms, Workers: 2}); err == nil {
		t.Error("two workers are not refused")
	}
}

// The probabilities are those of printed Erlang C tables, and of the sum over states for two workers.
func TestMMN(t *testing.T) {
	for _, c := range []struct {
		offered float64
		workers int
		want    float64
	}{{1, 2, 1.0 / 3}, {10, 12, 0.4494}, {2, 3, 0.4444}, {8, 10, 0.4092}} {
		q, err := model.MMN(model.Load{Arrivals: c.offered * 100, Service: 10 * ms, Workers: c.workers})
		if err != nil || !near(q.WaitProbability, c.want, 5e-5) {
			t.Errorf("%g Erlang on %d: %.5f %v, want %.4f", c.offered, c.workers, q.WaitProbability, err, c.want)
		}
	}
	l := model.Load{Arrivals: 100, Service: 10 * ms, Workers: 2}
	if q, _ := model.MMN(l); !near(q.Wait.Seconds(), 0.01/3, 1e-8) {
		t.Errorf("wait %v, want a third of the service", q.Wait)
	}
	if p, err := model.MMNWaitBeyond(l, 10*ms); err != nil || !near(p, math.Exp(-1)/3, 1e-9) {
		t.Errorf("wait beyond one service: %g %v, want 1/3e", p, err)
	}
	for what, l := range map[string]model.Load{
		"utilization 1": {Arrivals: 200, Service: 10 * ms, Workers: 2}, "no workers": {Arrivals: 1, Service: ms},
		"no arrivals": {Service: ms, Workers: 1}, "NaN": {Arrivals: math.NaN(), Service: ms, Workers: 1},
	} {
		if _, err := model.MMN(l); err == nil {
			t.Errorf("%s is not refused", what)
		}
	}
}

// MMNK against the birth and death process, summed up state by state.
func TestMMNK(t *testing.T) {
	for _, c := range []struct {
		arrivals        float64
		workers, places int
	}{{50, 1, 0}, {90, 1, 3}, {100, 1, 5}, {150, 1, 5}, {380, 4, 4}, {800, 4, 4}, {300, 4, 40}, {1, 60, 3}} {
		const service = 10 * ms
		p, sum := 1.0, 0.0
		var states []float64
		for i := range c.workers + c.places + 1 {
			if i > 0 {
				p *= c.arrivals * service.Seconds() / float64(min(i, c.workers))
			}
			states, sum = append(states, p), sum+p
		}
		var queued, inSystem, waits float64
		for i, p := range states {
			queued += p / sum * float64(max(0, i-c.workers))
			inSystem += p / sum * float64(i)
			if i >= c.workers && i < len(states)-1 {
				waits += p / sum
			}
		}
		loss := p / sum
		q, err := model.MMNK(model.Load{Arrivals: c.arrivals, Service: service, Workers: c.workers}, c.places)
		if err != nil || !near(q.Loss, loss, 1e-9) || !near(q.Queued, queued, 1e-9) || !near(q.InSystem, inSystem, 1e-9) ||
			!near(q.WaitProbability, waits/(1-loss), 1e-9) || !near(q.Wait.Seconds(), queued/c.arrivals/(1-loss), 1e-8) {
			t.Errorf("%+v: %+v %v, want loss %g, %g queued, %g in the system", c, q, err, loss, queued, inSystem)
		}
	}
	if _, err := model.MMNK(model.Load{Arrivals: 200, Service: 10 * ms, Workers: 1}, 100_000); err == nil {
		t.Error("an overflow is not refused")
	}
	if _, err := model.MMNK(model.Load{Arrivals: 200, Service: 10 * ms, Workers: 1}, -1); err == nil {
		t.Error("places below 0 are not refused")
	}
}

// Pollaczek and Khinchine: constant services wait half as long as exponential ones.
func TestGeneralServices(t *testing.T) {
	l := model.Load{Arrivals: 80, Service: 10 * ms, Workers: 1}
	for cv, want := range map[float64]float64{0: 0.02, 1: 0.04, 2: 0.1} {
		if q, err := model.MGN(l, cv); err != nil || !near(q.Wait.Seconds(), want, 1e-8) || !near(q.Response.Seconds(), want+0.01, 1e-8) {
			t.Errorf("coefficient %g: %v %v, want %g s", cv, q.Wait, err, want)
		}
	}
	if q, err := model.GGN(l, 0.5, 0.5); err != nil || !near(q.Wait.Seconds(), 0.01, 1e-8) {
		t.Errorf("regular arrivals and services wait %v %v, want a quarter of 40 ms", q.Wait, err)
	}
	if _, err := model.GGN(l, 0, 0.22); err == nil {
		t.Error("evenly spaced arrivals at utilization 0.8 are not refused")
	}
	for _, bad := range []float64{-1, 2.1, math.NaN()} {
		if _, err := model.GGN(l, bad, 1); err == nil {
			t.Errorf("a coefficient of %g is not refused", bad)
		}
	}
	if cv, err := model.LogNormalCV(0.22); err != nil || !near(cv, 0.2227, 1e-4) {
		t.Errorf("coefficient of a log-normal cost: %g %v", cv, err)
	}
	// 20 ms, or 220 ms for half: mean 120 ms, standard deviation 100 ms.
	mean, cv, err := model.MixedService(20*ms, 0, 200*ms, 0.5)
	if mean != 120*ms || !near(cv, 100.0/120, 1e-9) || err != nil {
		t.Errorf("mixed: %v, %g %v", mean, cv, err)
	}
	if _, _, err := model.MixedService(20*ms, 0, 200*ms, 1.5); err == nil {
		t.Error("a share of 1.5 is not refused")
	}
}

func TestFluid(t *testing.T) {
	o := model.Overload{Arrivals: 100, Capacity: 60, Lasts: 2 * time.Second}
	if n, err := o.Backlog(); n != 80 || err != nil {
		t.Errorf("backlog %g %v, want 80", n, err)
	}
	if d, err := o.CatchUp(40, 60); d != 4*time.Second || err != nil {
		t.Errorf("catch-up %v %v, want 4 s", d, err)
	}
	if mean, last, err := o.Wait(); (last-1333333*time.Microsecond).Abs() > time.Millisecond || (mean-last/2).Abs() > 1 || err != nil {
		t.Errorf("waits %v and %v %v, want 0.67 and 1.33 s", mean, last, err)
	}
	if share, err := o.Loss(32); !near(share, 48.0/200, 1e-12) || err != nil {
		t.Errorf("loss %g %v, want 0.24", share, err)
	}
	outage := model.Overload{Arrivals: 20, Lasts: 2 * time.Second}
	if d, err := outage.CatchUp(20, 100); d != 500*ms || err != nil {
		t.Errorf("catch-up after an outage %v %v, want λT/(μ−λ) = 0.5 s", d, err)
	}
	if mean, last, err := outage.OutageWait(100); mean != 1200*ms || last != 400*ms || err != nil {
		t.Errorf("waits of an outage %v and %v %v, want 1.2 and 0.4 s", mean, last, err)
	}
	if n, err := (model.Overload{Arrivals: 10, Capacity: 60, Lasts: time.Second}).Backlog(); n != 0 || err != nil {
		t.Errorf("backlog without an overload: %g %v", n, err)
	}
	for what, call := range map[string]func() error{
		"catch-up at full load":    func() error { _, err := o.CatchUp(60, 60); return err },
		"catch-up in 1e12 years":   func() error { _, err := o.CatchUp(60, 60+1e-14); return err },
		"waits of no capacity":     func() error { _, _, err := outage.Wait(); return err },
		"an outage that serves":    func() error { _, _, err := o.OutageWait(100); return err },
		"no length":                func() error { _, err := model.Overload{Arrivals: 1}.Backlog(); return err },
		"arrivals without a bound": func() error { _, err := model.Overload{Arrivals: math.Inf(1), Lasts: 1}.Loss(1); return err },
		"negative places":          func() error { _, err := o.Loss(-1); return err },
	} {
		if call() == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
