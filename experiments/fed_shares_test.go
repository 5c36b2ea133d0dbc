package experiments

import (
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/services"
)

// fedShares are the claims whose rules stand on shares of orders.
func fedShares() []fed {
	peak := func(s *chance) {
		for _, arm := range surgeArms() {
			s.shareOf(arm.name, peakErrors, 5, peakFrom, peakEnds, func(pair uint64) []simulation.Order { return s.surged(pair, peakWorkers, ownCost) })
		}
	}
	atPeak := func(s *chance) {
		for _, arm := range surgeArms() {
			share := 0.05
			if arm.form == services.GRPC {
				share = 0.6
			}
			s.failing(arm.name, peakErrors, 5, share)
		}
	}
	long := func(kafka float64) func(*chance) {
		return func(s *chance) {
			s.counts("grpc", clientErrors, 1)
			s.counts("kafka", clientErrors, kafka)
			s.counts("kafka", notDone, 0)
			s.counts("ack", clientErrors, 0)
			s.counts("ack", notDone, 0)
		}
	}
	charged := func(share float64) func(*chance) {
		return func(s *chance) { s.counts("grpc", doneUnseen, share) }
	}
	return []fed{
		{surge(), peak, verdict.Holds, atPeak, verdict.DoesNotHold},
		{ride(), peak, verdict.Holds, atPeak, verdict.DoesNotHold},
		{cascade(), hung, verdict.Holds, atCascade, verdict.DoesNotHold},
		{retryStorm(), storms, verdict.Holds, recovered, verdict.DoesNotHold},
		{unknownOutcome(), charged(0.02), verdict.DoesNotHold, charged(0.05), verdict.DoesNotHold},
		{longJob(), long(1), verdict.Holds, long(0.05), verdict.DoesNotHold},
	}
}

// hung are four arms without a guard, where half of the orders hang: those of the others that fail.
func hung(s *chance) {
	const n = 160
	for _, arm := range cascadeArms() {
		s.shareOf(arm.name, othersFail, 5, 0, simulation.Forever, func(pair uint64) []simulation.Order {
			c := simulation.Cascade{
				Arrivals: simulation.Poisson(s.next(), 80, n), Costs: simulation.LogNormal(pair, ownCost, ownSpread, n), Needs: simulation.Hits(pair, 0.5, n),
				Workers: cascadeWorkers, Places: cascadePlaces, Hang: hangs, Deadline: cascadeDeadline,
			}
			orders, err := c.Run()
			if err != nil {
				s.t.Fatal(err)
			}
			var others []simulation.Order
			for i, o := range orders {
				if !c.Needs[i] {
					others = append(others, o)
				}
			}
			return others
		})
	}
}

func atCascade(s *chance) {
	s.failing("grpc", othersFail, 5, 0.9)
	s.failing("grpc, bulkhead", othersFail, 5, 0.05)
	s.failing("grpc, breaker", othersFail, 5, 0.3)
	s.failing("kafka", othersFail, 5, 0)
}

// storms are three arms that try again without a budget, after two workers were slow for a second.
func storms(s *chance) {
	const n = 320
	for _, arm := range stormArms() {
		s.shareOf(arm.name, goodput, 5, stormFrom-time.Second, simulation.Forever, func(pair uint64) []simulation.Order {
			r, err := simulation.Storm{
				Arrivals: simulation.Poisson(s.next(), 80, n), Costs: simulation.LogNormal(pair, ownCost, ownSpread, n), Workers: stormWorkers, Places: simulation.Unbounded,
				Fault:    simulation.Slow(triggerFrom, triggerEnds-time.Second, triggerBy, simulation.Hits(pair, 1, n)),
				Deadline: stormDeadline, Retries: stormRetries, Backoff: stormBackoff, Cancel: true, Seed: s.next(),
			}.Run()
			if err != nil {
				s.t.Fatal(err)
			}
			return r.Orders
		})
		figure := &s.Figures[len(s.Figures)-1]
		for i, v := range figure.Values { // of those that failed
			figure.Values[i] = 1 - v
		}
		figure.Hits = figure.Of - figure.Hits
	}
}

func recovered(s *chance) {
	s.failing("grpc, no budget", goodput, 5, 0.9)
	s.failing("grpc, budget of 10 %", goodput, 5, 1)
	s.failing("kafka", goodput, 5, 1)
}

// fedOutages are the claims in which a part goes away.
func fedOutages() []fed {
	down := func(s *chance) {
		for _, form := range []string{"grpc", "kafka"} {
			s.away(form, duringErrors)
			s.Count(form, answeredAlone, 0, 600)
			s.Count(form, unnotified, 0, 600)
			s.Count(form, doneTwice, 0, 600)
		}
	}
	atDown := func(s *chance) {
		s.failing("grpc", duringErrors, 3, 0.9)
		s.failing("kafka", duringErrors, 3, 0.05)
		s.Count("kafka", answeredAlone, 0, 600)
		s.Count("kafka", unnotified, 0, 600)
		s.Count("kafka", doneTwice, 0, 600)
	}
	return []fed{
		{serviceDown(), down, verdict.Holds, atDown, verdict.DoesNotHold},
		{reaction(), down, verdict.Holds, atDown, verdict.DoesNotHold},
		{brokerDown(), brokersAway, verdict.Holds, atBrokerDown, verdict.DoesNotHold},
		{coupling(), coupled(0.64, 0.64), verdict.Holds, coupled(0.64, 0.5), verdict.Holds},
		{durability(), accepted(0, 0), verdict.Holds, accepted(0.03, 0.01), verdict.Holds},
		{availability(), available(0), verdict.Holds, available(0.05), verdict.Holds},
	}
}

// away adds the share of orders of an outage whose client gives up, in three runs.
func (s *chance) away(arm, measure string) {
	const n, from, to = 160, time.Second, 3 * time.Second
	s.shareOf(arm, measure, 3, from, to, func(pair uint64) []simulation.Order {
		return s.run(simulation.Queue{
			Arrivals: simulation.Poisson(s.next(), 40, n), Costs: simulation.LogNormal(pair, ownCost, ownSpread, n), Workers: payingWorkers, Places: simulation.Unbounded,
			Fault: simulation.Stopped(from, to), Deadline: mostPatient,
		})
	})
}

func brokersAway(s *chance) {
	for _, arm := range []string{withoutOutbox, withOutbox, "grpc"} {
		s.away(arm, heldUp)
	}
	s.Count(withOutbox, answeredAlone, 0, 300)
}

func atBrokerDown(s *chance) {
	s.failing(withoutOutbox, heldUp, 3, 0.9)
	s.failing(withOutbox, heldUp, 3, 0.05)
	s.failing("grpc", heldUp, 3, 0)
	s.Count(withOutbox, answeredAlone, 0, 300)
}

// coupled are forms whose clients feel such shares of all outages.
func coupled(grpc, kafka float64) func(*chance) {
	return func(s *chance) {
		s.counts("grpc", anyErrors, grpc)
		for _, form := range []string{"kafka", "ack", "hybrid"} {
			s.counts(form, anyErrors, kafka)
		}
	}
}

// accepted are orders of which such shares are lost.
func accepted(ack, kafka float64) func(*chance) {
	return func(s *chance) {
		s.counts("ack", acceptedLost, ack)
		s.counts("kafka", acceptedLost, kafka)
	}
}

// available are clients of the same services, which are away at the times that the seed draws; those of kafka are answered more often by a share.
func available(more float64) func(*chance) {
	const n, length = 200, 8 * time.Second
	return func(s *chance) {
		for _, arm := range []string{"grpc", "kafka", "ack", withOutbox} {
			figure := Figure{Arm: arm, Measure: answeredInTime, Unit: "share", Per: PerRun, Of: 4 * n}
			for run := range 4 {
				hits := 0
				for _, at := range simulation.Poisson(s.next(), n/length.Seconds(), n) {
					if answeredAt(at, s.pair(run), length) {
						hits++
					}
				}
				if arm == "kafka" {
					hits += int(more * n)
				}
				figure.Values, figure.Hits = append(figure.Values, float64(hits)/n), figure.Hits+hits
			}
			s.Figures = append(s.Figures, figure)
		}
	}
}

// answeredAt tells whether all services are there at a time, or back before a client loses patience.
func answeredAt(at time.Duration, seed uint64, length time.Duration) bool {
	events := drawnOutages(seed, length)
	for i := 2; i < len(events); i += 2 { // the first two are the broker's
		if at >= events[i].At && at < events[i+1].At-clientPatience {
			return false
		}
	}
	return true
}
