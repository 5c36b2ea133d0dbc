package experiments

import (
	"tracelab/experiments/verdict"
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
