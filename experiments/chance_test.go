package experiments

import (
	"math"
	"slices"
	"testing"
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
)

// chance draws the figures of one ledger from the simulation of experiments/model. What belongs together (orders by number, runs by seed) has the same
// costs in every arm; when orders come, and what a step takes beyond its cost, are each arm's own. So arms that are alike differ by chance alone.
type chance struct {
	t     *testing.T
	seed  uint64 // of the ledger
	drawn uint64 // streams so far
	long  longTimes
	Figures
}

// Two workers with costs of 18 ms: hardly anybody waits at the calm rate, and nearly everybody at the busy one, where 85 % of their time is taken.
const (
	calmRate   = 25.0 // orders/s
	busyRate   = 90.0
	ownCost    = 18 * time.Millisecond
	ownSpread  = 0.22
	lateCost   = 300 * time.Microsecond // of a timer or a goroutine
	lateSpread = 0.8
	runOrders  = 120
)

// next is the seed of a stream of its own.
func (s *chance) next() uint64 {
	s.drawn++
	return s.seed*1_000_003 + s.drawn
}

// orders are what n orders take, in ms, whose costs are those of a pair.
func (s *chance) orders(pair uint64, rate float64, n int) []float64 {
	own := s.next()
	costs := simulation.LogNormal(pair, ownCost, ownSpread, n)
	for i, late := range simulation.LogNormal(own, lateCost, lateSpread, n) {
		costs[i] += late
	}
	return responses(s.run(simulation.Queue{Arrivals: simulation.Poisson(own, rate, n), Costs: costs, Workers: 2, Places: simulation.Unbounded}))
}

func (s *chance) run(q simulation.Queue) []simulation.Order {
	s.t.Helper()
	orders, err := q.Run()
	if err != nil {
		s.t.Fatal(err)
	}
	return orders
}

func responses(orders []simulation.Order) []float64 {
	list := make([]float64, len(orders))
	for i, o := range orders {
		list[i] = o.Response()
	}
	return list
}

// waits adds what orders take in an arm, and so many milliseconds more.
func (s *chance) waits(arm, measure string, more float64) {
	values := s.orders(s.seed, calmRate, 80)
	for i := range values {
		values[i] += more
	}
	s.PerOrder(arm, measure, "ms", values)
}

// slopes adds by how much each order grows over some places: what is drawn at each of them, and slope milliseconds more from one to the next.
func (s *chance) slopes(arm, measure string, at []int, slope float64) {
	values := make([][]float64, len(at))
	for i, x := range at {
		values[i] = s.orders(s.seed, calmRate, 40)
		for n := range values[i] {
			values[i][n] += slope * float64(x)
		}
	}
	s.PerOrder(arm, measure, "ms", slopes(at, values))
}

// usualRuns is how many runs of an arm most claims have.
const usualRuns = 5

// means adds the mean of each run in an arm, and so much more.
func (s *chance) means(arm, measure string, more float64) {
	s.ofRuns(arm, measure, func(values []float64) float64 { return meanOf(values, everyOrder) + more })
}

// times adds the mean of each run in an arm, times a factor.
func (s *chance) times(arm, measure string, factor float64) {
	s.ofRuns(arm, measure, func(values []float64) float64 { return factor * meanOf(values, everyOrder) })
}

// ofRuns adds one figure of the orders of each of the usual runs.
func (s *chance) ofRuns(arm, measure string, of func([]float64) float64) {
	values := make(Values, usualRuns)
	for i := range values {
		values[i] = of(s.orders(s.pair(i), busyRate, runOrders))
	}
	s.PerRun(arm, measure, "ms", values)
}

// pair is the seed that the runs of all arms have in common.
func (s *chance) pair(run int) uint64 { return s.seed + uint64(run)*7919 }

// failing adds a share of orders in each run: those that take longer than all but that share of all orders do. So they fail one behind the other, as
// orders in one queue do.
func (s *chance) failing(arm, measure string, runs int, share float64) {
	figure := Figure{Arm: arm, Measure: measure, Unit: "share", Per: PerRun}
	for i := range runs {
		hits := s.failed(s.pair(i), busyRate, share)
		figure.Values = append(figure.Values, float64(hits)/runOrders)
		figure.Hits, figure.Of = figure.Hits+hits, figure.Of+runOrders
	}
	s.Figures = append(s.Figures, figure)
}

// counted adds such a share of so many calm orders.
func (s *chance) counts(arm, measure string, share float64) {
	s.Count(arm, measure, s.failed(s.next(), calmRate, share), runOrders)
}

// failed is how many orders of a run take longer than all but a share do.
func (s *chance) failed(pair uint64, rate, share float64) int {
	if share <= 0 || share >= 1 {
		return int(share) * runOrders
	}
	longest, n := s.long.allBut(rate, share), 0
	for _, v := range s.orders(pair, rate, runOrders) {
		if v > longest {
			n++
		}
	}
	return n
}

// manyRuns are enough for a share that is known to a fifth of a percent.
const manyRuns = 1000

// longTimes are what orders take at a rate in many runs, sorted.
type longTimes map[float64][]float64

func newLongTimes(t *testing.T) longTimes {
	t.Helper()
	all := longTimes{}
	for _, rate := range []float64{calmRate, busyRate} {
		s := &chance{t: t, seed: 1 << 40}
		for range manyRuns {
			all[rate] = append(all[rate], s.orders(s.next(), rate, runOrders)...)
		}
		slices.Sort(all[rate])
	}
	return all
}

// allBut is what a share of all orders takes longer than.
func (l longTimes) allBut(rate, share float64) float64 {
	return l[rate][int((1-share)*float64(len(l[rate])))]
}

// surged are the orders of a run with a peak, at a service with so many workers, whose step takes so long, and a queue of 32 places.
func (s *chance) surged(pair uint64, workers int, cost time.Duration) []simulation.Order {
	arrivals := simulation.Surge(40, peakTimes, peakFrom, peakLasts, time.Second)
	for i, late := range simulation.LogNormal(s.next(), 5*time.Millisecond, 1, len(arrivals)) {
		arrivals[i] += late
	}
	return s.run(simulation.Queue{Arrivals: arrivals, Costs: simulation.LogNormal(pair, cost, ownSpread, len(arrivals)), Workers: workers, Places: usualQueue})
}

// shareOf adds the share of orders of each run that failed and came in a time.
func (s *chance) shareOf(arm, measure string, runs int, from, to time.Duration, of func(pair uint64) []simulation.Order) {
	figure := Figure{Arm: arm, Measure: measure, Unit: "share", Per: PerRun}
	for i := range runs {
		orders := of(s.pair(i))
		share := simulation.Share(orders, from, to, simulation.Failed)
		n := 0
		for _, o := range orders {
			if o.Arrived >= from && o.Arrived < to {
				n++
			}
		}
		figure.Values = append(figure.Values, share)
		figure.Hits, figure.Of = figure.Hits+int(math.Round(share*float64(n))), figure.Of+n
	}
	s.Figures = append(s.Figures, figure)
}

// judge is the verdict of a claim on the figures.
func (s *chance) judge(claim Claim) verdict.Verdict {
	s.t.Helper()
	d, err := claim.Decide(s.Figures)
	if err != nil {
		s.t.Fatalf("%s: %v", claim.Name, err)
	}
	return verdict.Judge(nil, d.Parts...)
}
