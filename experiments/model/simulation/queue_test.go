package simulation_test

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/experiments/model"
	"tracelab/experiments/model/simulation"
)

const ms = time.Millisecond

// The simulation against recursions that know of no events: Lindley's for one worker, Kiefer and Wolfowitz's for several.
func TestQueueIsThatOfTheRecursion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gaps := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 60).Draw(t, "gaps")
		workers := rapid.IntRange(1, 4).Draw(t, "workers")
		q := simulation.Queue{Workers: workers, Places: simulation.Unbounded}
		now := time.Duration(0)
		for i, gap := range gaps {
			now += time.Duration(gap) * ms
			q.Arrivals = append(q.Arrivals, now)
			q.Costs = append(q.Costs, time.Duration(rapid.IntRange(0, 40).Draw(t, "cost"))*ms+time.Duration(i))
		}
		orders, err := q.Run()
		if err != nil {
			t.Fatal(err)
		}
		free := make([]time.Duration, workers) // when each worker is free again
		for i, o := range orders {
			slices.Sort(free)
			start := max(q.Arrivals[i], free[0])
			free[0] = start + q.Costs[i]
			want := simulation.Order{Arrived: q.Arrivals[i], Started: start, Ended: free[0]}
			if o != want {
				t.Fatalf("order %d: %+v, want %+v", i, o, want)
			}
		}
	})
}

func TestPlacesAndDeadlines(t *testing.T) {
	q := simulation.Queue{
		Arrivals: []time.Duration{0, 1 * ms, 2 * ms, 3 * ms, 25 * ms}, Costs: []time.Duration{20 * ms, 5 * ms, 5 * ms, 5 * ms, 5 * ms},
		Workers: 1, Places: 2, Deadline: 19 * ms,
	}
	got, err := q.Run()
	want := []simulation.Order{
		{Arrived: 0, Started: 0, Ended: 19 * ms, Outcome: simulation.TimedOut},
		{Arrived: 1 * ms, Started: 19 * ms, Ended: 20 * ms, Outcome: simulation.TimedOut},
		{Arrived: 2 * ms, Started: 20 * ms, Ended: 21 * ms, Outcome: simulation.TimedOut},
		{Arrived: 3 * ms, Started: 3 * ms, Ended: 3 * ms, Outcome: simulation.Refused},
		{Arrived: 25 * ms, Started: 25 * ms, Ended: 30 * ms},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v %v\nwant %v", got, err, want)
	}
	if got[4].Wait() != 0 || got[4].Response() != 5 || !math.IsInf(got[0].Response(), 1) || !math.IsInf(got[3].Wait(), 1) {
		t.Error("a response is in milliseconds, and infinite of an order that was not done")
	}
	if share := simulation.Share(got, 0, simulation.Forever, simulation.Failed); share != 0.8 {
		t.Errorf("%g failed, want 0.8", share)
	}
	// Who leaves the queue early makes its place free for the next.
	q.Arrivals, q.Costs, q.Deadline = []time.Duration{0, 1 * ms, 12 * ms}, []time.Duration{9 * ms, 30 * ms, ms}, 10*ms
	if got, err := q.Run(); err != nil || got[1].Outcome != simulation.TimedOut || got[2].Outcome != simulation.Done {
		t.Errorf("%v %v", got, err)
	}
}

func TestRefusesWhatCannotBeSimulated(t *testing.T) {
	one := []time.Duration{ms}
	_, noWorkers := simulation.Queue{Arrivals: one, Costs: one}.Run()
	_, noCosts := simulation.Queue{Arrivals: one, Workers: 1}.Run()
	_, negative := simulation.Queue{Arrivals: one, Costs: []time.Duration{-1}, Workers: 1}.Run()
	_, noDeadline := simulation.Storm{Arrivals: one, Costs: one, Workers: 1}.Run()
	_, noNeeds := simulation.Cascade{Arrivals: one, Costs: one, Workers: 1, Deadline: ms}.Run()
	_, hang := simulation.Cascade{Arrivals: one, Costs: one, Workers: 1, Deadline: ms, Needs: []bool{true}, Hang: -1}.Run()
	for i, err := range []error{noWorkers, noCosts, negative, noDeadline, noNeeds, hang} {
		if err == nil {
			t.Errorf("case %d is not refused", i)
		}
	}
	loop := new(simulation.Loop)
	var again func()
	events := 0
	again = func() {
		if events++; events < 1000 {
			loop.After(0, again)
		}
	}
	loop.At(0, again)
	if err := loop.Run(); err != nil || events != 1000 || loop.Now() != 0 {
		t.Errorf("events without time: %d at %v %v", events, loop.Now(), err)
	}
}

// The formulas against the simulation, over a run that is long against the time until steady state. The tolerance is four
// standard errors of ten runs' means.
func TestFormulasAgreeWithTheSimulation(t *testing.T) {
	const n, warmUp = 4000, 500
	for _, c := range []struct {
		name    string
		load    model.Load
		places  int
		costs   func(seed uint64) []time.Duration
		predict func(model.Load) (model.Queue, error)
		bias    float64 // of an approximation, as a share
		even    bool    // arrivals, else Poisson
	}{
		{"M/M/1", model.Load{Arrivals: 70, Service: 10 * ms, Workers: 1}, simulation.Unbounded, nil, model.MM1, 0, false},
		{"M/M/4", model.Load{Arrivals: 320, Service: 10 * ms, Workers: 4}, simulation.Unbounded, nil, model.MMN, 0, false},
		{"M/M/2/5", model.Load{Arrivals: 260, Service: 10 * ms, Workers: 2}, 3, nil, func(l model.Load) (model.Queue, error) { return model.MMNK(l, 3) }, 0, false},
		{"M/M/4 without places", model.Load{Arrivals: 500, Service: 10 * ms, Workers: 4}, 0, nil, func(l model.Load) (model.Queue, error) { return model.MMNK(l, 0) }, 0, false},
		{"M/G/2", model.Load{Arrivals: 160, Service: 10 * ms, Workers: 2}, simulation.Unbounded, logNormal(10*ms, 0.22), func(l model.Load) (model.Queue, error) {
			cv, _ := model.LogNormalCV(0.22)
			return model.MGN(l, cv)
		}, 0.05, false},
		{"G/G/2 with evenly spaced arrivals", model.Load{Arrivals: 190, Service: 10 * ms, Workers: 2}, simulation.Unbounded, logNormal(10*ms, 0.22), func(l model.Load) (model.Queue, error) {
			cv, _ := model.LogNormalCV(0.22)
			return model.GGN(l, 0, cv)
		}, 0.15, true},
	} {
		want, err := c.predict(c.load)
		if err != nil {
			t.Fatal(err)
		}
		var waits, losses []float64
		for seed := range uint64(10) {
			q := simulation.Queue{Arrivals: simulation.Poisson(seed, c.load.Arrivals, n), Costs: simulation.Exponential(seed, c.load.Service, n), Workers: c.load.Workers, Places: c.places}
			if c.costs != nil {
				q.Costs = c.costs(seed)
			}
			if c.even {
				q.Arrivals = simulation.Evenly(c.load.Arrivals, n)
			}
			orders, err := q.Run()
			if err != nil {
				t.Fatal(err)
			}
			var sum, done float64
			for _, o := range orders[warmUp:] {
				if o.Outcome == simulation.Done {
					sum += o.Wait()
					done++
				}
			}
			waits, losses = append(waits, sum/done), append(losses, 1-done/(n-warmUp))
		}
		agree(t, c.name+" wait", waits, want.Wait.Seconds()*1000, c.bias)
		agree(t, c.name+" loss", losses, want.Loss, 0)
	}
}

// logNormal has the mean that is given.
func logNormal(mean time.Duration, spread float64) func(uint64) []time.Duration {
	median := time.Duration(float64(mean) / math.Exp(spread*spread/2))
	return func(seed uint64) []time.Duration { return simulation.LogNormal(seed, median, spread, 4000) }
}

func agree(t *testing.T, what string, runs []float64, want, bias float64) {
	t.Helper()
	var mean, squares float64
	for _, v := range runs {
		mean += v / float64(len(runs))
	}
	for _, v := range runs {
		squares += (v - mean) * (v - mean)
	}
	tolerance := 4*math.Sqrt(squares/float64(len(runs)-1)/float64(len(runs))) + bias*want
	if math.Abs(mean-want) > tolerance {
		t.Errorf("%s: simulated %.4g, predicted %.4g (tolerance %.2g)", what, mean, want, tolerance)
	}
}

func TestDraws(t *testing.T) {
	if a, b := simulation.Poisson(1, 10, 5), simulation.Poisson(1, 10, 50); !reflect.DeepEqual(a, b[:5]) {
		t.Error("more orders change the arrivals of the first")
	}
	for _, share := range []float64{0, 0.05, 0.5, 1} {
		hits := simulation.Hits(7, share, 200)
		for from := 0; from < 200; from += 20 {
			n := 0
			for _, hit := range hits[from : from+20] {
				if hit {
					n++
				}
			}
			if n != int(share*20) {
				t.Errorf("share %g: %d hits among 20 orders", share, n)
			}
		}
	}
	if at := simulation.Surge(40, 5, time.Second, time.Second, time.Second); len(at) != 280 || at[40] != time.Second || at[240] != 2*time.Second {
		t.Errorf("a surge of %d orders", len(at))
	}
}
