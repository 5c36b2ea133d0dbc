package experiments

import (
	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/services"
)

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
			s.means("call", Wait, 0)
			s.means("batch", Wait, -wait)
			s.times("message", cpuPerRecord, 0.02)
			s.times("batch", cpuPerRecord, 0.02*(1-cpu))
			s.Count("batch", "records that do not link to their origin", 0, 2000)
		}
	}
	used := func(less float64) func(*chance) {
		return func(s *chance) {
			for _, measure := range []string{cpuAll, cpuServices} {
				s.means("grpc", measure, 0)
				s.means("kafka", measure, -less)
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
			s.ofRuns(armOf(services.GRPC, n), callerRate, rate)
			s.ofRuns(armOf(services.Kafka, n), callerRate, func(values []float64) float64 { return factor * rate(values) })
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
			s.times(arm.form+", 0.8 times", goodRate, 1)
			s.times(arm.form+", 1.5 times", goodRate, arm.factor)
			s.times(arm.form+", 2 times", goodRate, arm.factor)
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
	s.times(armOf(services.Kafka, kafkaWorkers), peakP99, 10)
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
			s.times(armOf(services.Kafka, n), drainRate, times)
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
