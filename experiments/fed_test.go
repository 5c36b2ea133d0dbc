package experiments

import (
	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/services"
)

// fedWaits are the claims whose rules compare what orders take, one by one.
func fedWaits() []fed {
	corners := func(measure string, ack, reply, kafka float64) func(*chance) {
		return func(s *chance) {
			s.waits("grpc", measure, 0)
			s.waits("ack", measure, ack)
			s.waits("reply", measure, reply)
			s.waits("kafka", measure, kafka)
		}
	}
	widths := func(wide float64) func(*chance) {
		return func(s *chance) {
			s.waits("grpc, 1", Wait, 0)
			s.waits("grpc, 8", Wait, wide)
			for _, arm := range []string{"kafka, 1", "kafka, 8"} {
				s.waits(arm, Wait, 0)
				s.PerOrder(arm, published, "", []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
			}
		}
	}
	profile := func(side, view float64) func(*chance) {
		return func(s *chance) {
			s.waits("one-by-one", Wait, 0)
			s.waits("together", Wait, -side)
			s.waits("graphql", Wait, 0)
			s.waits("view", Wait, -side-view)
		}
	}
	checkout := func(longer, shorter float64) func(*chance) {
		return func(s *chance) {
			s.waits("kafka", sureWait, 0)
			s.waits("hybrid", sureWait, longer)
			s.waits("grpc", sureWait, longer+shorter)
			s.Count("hybrid", notRefused, 0, 20)
			s.Count("hybrid", paymentHeard, 0, 80)
		}
	}
	return []fed{
		{callerWait(), corners(Wait, 0, 0, 0), verdict.Holds, corners(Wait, -5, 0, -8), verdict.Holds},
		{completion(), corners(Completion, 0, 0, 0), verdict.Holds, corners(Completion, 0, 0, -1), verdict.Holds},
		{reply(), corners(Wait, 0, 0, 0), verdict.Holds, corners(Wait, 0, 0.3, 0), verdict.Holds},
		{freshness(), corners(notified, 0, 0, 0), verdict.Holds, corners(notified, 0, 0, 5), verdict.Holds},
		{hybridCheckout(), checkout(0, 0), verdict.Holds, checkout(2, 20), verdict.Holds},
		{fanOut(), widths(0), verdict.Holds, widths(1), verdict.Holds},
		{aggregation(), profile(0, 0), verdict.Holds, profile(1, 10), verdict.Holds},
		{chainLength(), chains(0, 0), verdict.Holds, chains(2.5, 6), verdict.Holds},
		{distance(), trips(1, 1), verdict.Holds, trips(2.5, 4), verdict.Holds},
		{eventualConsistency(), readAndTraced(0, 0, 0), verdict.Holds, readAndTraced(1, 0, 0.3), verdict.DoesNotHold},
	}
}

// fourPlaces lie evenly, so that the slopes of what is drawn at each scatter evenly around 0.
func fourPlaces() []int { return []int{1, 2, 3, 4} }

// chains are chains whose wait, where calls nest, and whose completions grow by so much with each link.
func chains(wait, completion float64) func(*chance) {
	return func(s *chance) {
		for _, form := range chainForms() {
			grows := 0.0
			if form == chained {
				grows = wait
			}
			s.slopes(string(form), waitSlope, fourPlaces(), grows)
			s.slopes(string(form), completionSlope, fourPlaces(), completion)
		}
	}
}

// trips are orders over a distance: how many trips grpc's wait has, and all completions. A round trip is 50 ms.
func trips(calls, completion float64) func(*chance) {
	const trip = 50
	return func(s *chance) {
		for _, x := range []struct {
			form, measure string
			trips         float64
		}{{"grpc", waitTrips, calls}, {"kafka", waitTrips, 1}, {"grpc", completionTrips, completion}, {"kafka", completionTrips, completion}} {
			s.slopes(x.form, x.measure, fourPlaces(), trip*x.trips)
			values := s.Figures[len(s.Figures)-1].Values
			for i := range values {
				values[i] /= trip
			}
		}
	}
}

// readAndTraced are orders of kafka of which such shares are stale at the first and the last read, and such a share is seen stale by one read of six
// that its trace tells nothing of.
func readAndTraced(first, last, apart float64) func(*chance) {
	return func(s *chance) {
		s.counts("kafka", staleFirst, first)
		s.counts("kafka", staleLast, last)
		s.counts("grpc", staleFirst, 0)
		values := s.orders(s.next(), calmRate, runOrders)
		for i, v := range values {
			if values[i] = 0; apart > 0 && v > s.long.allBut(calmRate, apart) {
				values[i] = 1.0 / 6
			}
		}
		s.PerOrder("kafka", apartCurve, "share", values)
	}
}

// fedRuns are the claims whose rules compare figures of whole runs.
func fedRuns() []fed {
	slowed := func(by float64) func(*chance) {
		return func(s *chance) {
			for _, arm := range []string{"grpc", "kafka"} {
				for _, measure := range []string{addedWait, addedCompletion} {
					s.added(arm, measure, 5, by)
				}
			}
		}
	}
	logged := func(wait, cpu float64) func(*chance) {
		return func(s *chance) {
			s.means("call", Wait, 5, 0)
			s.means("batch", Wait, 5, -wait)
			s.times("message", cpuPerRecord, 5, 0.02)
			s.times("batch", cpuPerRecord, 5, 0.02*(1-cpu))
			s.Count("batch", "records that do not link to their origin", 0, 2000)
		}
	}
	used := func(less float64) func(*chance) {
		return func(s *chance) {
			for _, measure := range []string{cpuAll, cpuServices} {
				s.means("grpc", measure, 5, 0)
				s.means("kafka", measure, 5, -less)
			}
		}
	}
	return []fed{
		{slowService(), slowed(0), verdict.Holds, slowed(20), verdict.Holds},
		{batchLog(), logged(0, 0), verdict.Holds, logged(1, 0.9), verdict.Holds},
		{resources(), used(0), verdict.Holds, used(0.5), verdict.Holds},
		{callerThroughput(), closedLoops(1), verdict.Holds, closedLoops(2), verdict.Holds},
		{rateLimit(), knees(1, 1), verdict.Holds, knees(0.5, 0.85), verdict.Holds},
		{overloadGoodput(), overloaded, verdict.Holds, goodputs(0.8, 1.1), verdict.Holds},
		{provisioning(), provisioned, verdict.Holds, atObjective, verdict.DoesNotHold},
		{scaleOut(), backlogs(1), verdict.Holds, backlogs(3), verdict.Holds},
		{poison(), poisoned(1), verdict.Holds, poisoned(2), verdict.Holds},
	}
}

// added adds by how much the mean of each run exceeds that of another run of the same orders.
func (s *chance) added(arm, measure string, runs int, by float64) {
	values := make(Values, runs)
	for i := range values {
		calm, other := s.orders(s.pair(i), busyRate, runOrders), s.orders(s.pair(i), busyRate, runOrders)
		values[i] = meanOf(other, everyOrder) - meanOf(calm, everyOrder) + by
	}
	s.PerRun(arm, measure, "ms", values)
}

// ratios adds what one run takes in multiples of another run of the same orders, times a factor.
func (s *chance) ratios(arm, measure string, runs int, factor float64, of func([]float64) float64) {
	values := make(Values, runs)
	for i := range values {
		values[i] = factor * of(s.orders(s.pair(i), busyRate, runOrders)) / of(s.orders(s.pair(i), busyRate, runOrders))
	}
	s.PerRun(arm, measure, "", values)
}

func mean(values []float64) float64 { return meanOf(values, everyOrder) }

// closedLoops are callers who think; those of kafka are so many times as fast.
func closedLoops(factor float64) func(*chance) {
	return func(s *chance) {
		for _, n := range callers() {
			rate := func(values []float64) float64 { return 1000 * float64(n) / (mean(values) + milliseconds(thinking)) }
			s.ofRuns(armOf(services.GRPC, n), callerRate, 5, rate)
			s.ofRuns(armOf(services.Kafka, n), callerRate, 5, func(values []float64) float64 { return factor * rate(values) })
			s.ratios(armOf(services.GRPC, n), ofLittle, 5, 1, rate)
		}
	}
}

// knees are the rates that workers end orders at who have too many of them; those of grpc are so many times as high, with 8 workers by another factor.
func knees(factor, with8 float64) func(*chance) {
	return func(s *chance) {
		for _, n := range []int{2, 4, 8} {
			times := factor
			if n == 8 {
				times = with8
			}
			for _, arm := range []struct {
				form  services.Form
				times float64
			}{{services.Kafka, 1}, {services.GRPC, times}} {
				values := make(Values, 5)
				for i := range values {
					values[i] = arm.times * s.saturated(s.pair(i), n)
				}
				s.PerRun(armOf(arm.form, n), knee, "orders/s", values)
			}
		}
	}
}

// saturated is how many orders a second come out of a service that is offered too many.
func (s *chance) saturated(pair uint64, workers int) float64 {
	const n = 120
	costs := simulation.LogNormal(pair, kneeCost, ownSpread, n)
	rate := kneeOffered * float64(workers) / kneeCost.Seconds()
	ends := make([]float64, n)
	for i, o := range s.run(simulation.Queue{Arrivals: simulation.Poisson(s.next(), rate, n), Costs: costs, Workers: workers, Places: simulation.Unbounded}) {
		ends[i] = o.Ended.Seconds()
	}
	value, err := rateOfEnds(ends)
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}

// overloaded are both forms as calls, whose clients give up.
func overloaded(s *chance) {
	for _, form := range []string{"grpc", "kafka"} {
		for _, at := range []struct {
			arm   string
			times float64
		}{{", 0.8 times", 0.8}, {", 1.5 times", 1.5}, {", 2 times", 2}} {
			rate := at.times * overloadWorkers / kneeCost.Seconds()
			n := int(100 * at.times)
			values := make(Values, 5)
			for i := range values {
				orders := s.run(simulation.Queue{
					Arrivals: simulation.Poisson(s.next(), rate, n), Costs: simulation.LogNormal(s.pair(i), kneeCost, ownSpread, n),
					Workers: overloadWorkers, Places: simulation.Unbounded, Deadline: overloadDeadline,
				})
				values[i] = rate * (1 - simulation.Share(orders, placing(n, rate)/3, simulation.Forever, simulation.Failed))
			}
			s.PerRun(form+at.arm, goodRate, "orders/s", values)
			s.counts(form+at.arm, goodInTime, 0.5)
		}
	}
}

// goodputs are rates that are so many times those at 0.8 of what the workers can do.
func goodputs(grpc, kafka float64) func(*chance) {
	return func(s *chance) {
		for _, arm := range []struct {
			form   string
			factor float64
		}{{"grpc", grpc}, {"kafka", kafka}} {
			s.times(arm.form+", 0.8 times", goodRate, 5, 1)
			s.times(arm.form+", 1.5 times", goodRate, 5, arm.factor)
			s.times(arm.form+", 2 times", goodRate, 5, arm.factor)
			s.counts(arm.form+", 2 times", goodInTime, 0.5)
		}
	}
}

// provisioned are both forms with the queue of calls.
func provisioned(s *chance) {
	for _, form := range []services.Form{services.GRPC, services.Kafka} {
		workers := grpcWorkers
		if form == services.Kafka {
			workers = kafkaWorkers
		}
		s.shareOf(armOf(form, workers), objectiveMiss, 5, 0, simulation.Forever, func(pair uint64) []simulation.Order { return s.surged(pair, workers, provisionCost) })
		p99 := make(Values, 5)
		for i := range p99 {
			orders := s.surged(s.pair(i), workers, provisionCost)
			p99[i] = quantileOf(responses(orders), 0.99, func(n int) bool { return !simulation.Failed(orders[n]) })
		}
		s.PerRun(armOf(form, workers), peakP99, "ms", p99)
	}
}

func atObjective(s *chance) {
	s.times(armOf(services.Kafka, kafkaWorkers), peakP99, 5, 10)
	s.failing(armOf(services.Kafka, kafkaWorkers), objectiveMiss, 5, 0)
	s.failing(armOf(services.GRPC, grpcWorkers), objectiveMiss, 5, 0.01)
}

// backlogs are backlogs that 8 consumers are so many times as fast with as one.
func backlogs(factor float64) func(*chance) {
	return func(s *chance) {
		for _, n := range consumersOf() {
			times := 1.0
			if n == 8 {
				times = factor
			}
			s.times(armOf(services.Kafka, n), drainRate, 5, times)
			s.ratios(armOf(services.Kafka, n), hashAllows, 5, 1, func(values []float64) float64 { return 1000 + mean(values) })
			s.Count(armOf(services.Kafka, n), outOfOrder, 0, 240)
		}
	}
}

// poisoned are records tried again in place, whose p99 is so many times that of a calm run, and dead letters, which change nothing.
func poisoned(factor float64) func(*chance) {
	return func(s *chance) {
		p99 := func(values []float64) float64 { return quantileOf(values, 0.99, everyOrder) }
		s.ratios(isTriedThere, againstCalm, 4, factor, p99)
		s.ratios(isBuried, againstCalm, 4, 1, p99)
		s.Count(isBuried, inLetters, 16, 16)
		for _, measure := range []string{anonymous, notSentBack, undoneInEnd} {
			s.Count(isBuried, measure, 0, 16)
		}
		s.Count(isTriedThere, unseenByLint, 0, 8)
	}
}
