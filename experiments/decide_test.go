package experiments

import (
	"testing"

	"tracelab/experiments/verdict"
)

// made makes figures of 30 orders, or of 5 runs, by hand.
type made struct{ Figures }

// orders adds a figure by order: a value with some spread.
func (m *made) orders(arm, measure string, value float64) *made {
	values := make([]float64, 30)
	for i := range values {
		values[i] = value + float64(i%5)/1000
	}
	m.PerOrder(arm, measure, "ms", values)
	return m
}

// runs adds a figure by run: a value with some spread.
func (m *made) runs(arm, measure string, value float64) *made {
	m.PerRun(arm, measure, "ms", []float64{value, value + 0.001, value - 0.001, value, value})
	return m
}

// count adds hits of so many.
func (m *made) count(arm, measure string, hits, of int) *made {
	m.Count(arm, measure, hits, of)
	return m
}

// row is a decision on made-up figures.
type row struct {
	name    string
	figures Figures
	want    verdict.Word
}

func check(t *testing.T, c Claim, rows ...row) {
	t.Helper()
	for _, r := range rows {
		if got := decided(t, c, r.figures); got != r.want {
			t.Errorf("%s, %s: %s, want %s", c.Name, r.name, got, r.want)
		}
	}
	if _, err := c.Decide(Figures{}); err == nil {
		t.Errorf("%s decides without figures", c.Name)
	}
}

func TestCompletionDecides(t *testing.T) {
	check(t, completion(),
		row{"faster by over δ", corners(Completion, 50, 50, 49, 48.9), verdict.Holds},
		row{"faster by just under δ", corners(Completion, 50, 50, 49, 49.01), verdict.DoesNotHold},
		row{"faster by less than δ", corners(Completion, 50, 50, 49, 49.5), verdict.DoesNotHold},
		row{"slower", corners(Completion, 50, 50, 51, 51), verdict.DoesNotHold},
	)
}

func TestReplyDecides(t *testing.T) {
	with := func(price float64) *made { return (&made{}).orders("grpc", Wait, 50).orders("reply", Wait, 50+price) }
	check(t, reply(),
		row{"over δ", with(0.31).Figures, verdict.Holds},
		row{"under δ", with(0.29).Figures, verdict.DoesNotHold},
		row{"over δ of the embedded broker, on a real one", with(0.9).count("broker", "is a real one", 1, 1).Figures, verdict.DoesNotHold},
		row{"over δ of a real one", with(1.1).count("broker", "is a real one", 1, 1).Figures, verdict.Holds},
	)
}

func TestFreshnessDecides(t *testing.T) {
	with := func(later float64) Figures {
		return (&made{}).orders("grpc", notified, 40).orders("kafka", notified, 40+later).Figures
	}
	check(t, freshness(), row{"over δ", with(5.1), verdict.Holds}, row{"just under δ", with(4.99), verdict.DoesNotHold}, row{"sooner", with(-1), verdict.DoesNotHold})
}

func TestTransitsDecide(t *testing.T) {
	with := func(calls, records float64) Figures {
		m := &made{}
		m.PerOrder("grpc", callsMade, "", []float64{7, 7})
		m.PerOrder("grpc", published, "", []float64{0, 0})
		m.PerOrder("grpc", delivered, "", []float64{0, 0})
		m.PerOrder("kafka", callsMade, "", []float64{calls, calls})
		m.PerOrder("kafka", published, "", []float64{records, records})
		m.PerOrder("kafka", delivered, "", []float64{records, records})
		return m.Figures
	}
	check(t, hops(), row{"one fewer", with(0, 9), verdict.Holds}, row{"as many", with(1, 8), verdict.DoesNotHold}, row{"more", with(2, 8), verdict.DoesNotHold})
	parts := func(grpc, kafka float64) Figures {
		m := &made{}
		m.PerRun("grpc", components, "", []float64{grpc})
		m.PerRun("kafka", components, "", []float64{kafka})
		return m.Figures
	}
	check(t, extraParts(), row{"a broker", parts(0, 3), verdict.Holds}, row{"alike", parts(0, 0), verdict.DoesNotHold}, row{"calls need one", parts(1, 3), verdict.DoesNotHold})
}

func TestFailingServiceDecides(t *testing.T) {
	with := func(wrong, told, undone, single int) Figures {
		return (&made{}).count("grpc", toldWrong, wrong, 80).count("kafka", toldErrors, told, 80).count("kafka", notDone, undone, 80).
			count("kafka", withoutRetry, single, 24).count("grpc, tried again", toldErrors, 8, 80).Figures
	}
	check(t, failingService(), row{"as drawn", with(0, 0, 0, 0), verdict.Holds}, row{"one answer is wrong", with(1, 0, 0, 0), verdict.DoesNotHold},
		row{"a client of kafka hears", with(0, 1, 0, 0), verdict.DoesNotHold}, row{"one is not completed", with(0, 0, 1, 0), verdict.DoesNotHold},
		row{"one was not tried again", with(0, 0, 0, 1), verdict.DoesNotHold})
}

func TestHybridCheckoutDecides(t *testing.T) {
	with := func(refused, heard int, wait float64) Figures {
		return (&made{}).count("hybrid", notRefused, refused, 20).count("hybrid", paymentHeard, heard, 80).
			orders("grpc", sureWait, 50).orders("hybrid", sureWait, wait).orders("kafka", sureWait, 4).Figures
	}
	check(t, hybridCheckout(), row{"between", with(0, 0, 11), verdict.Holds}, row{"one is not refused", with(1, 0, 11), verdict.DoesNotHold},
		row{"one hears of payment", with(0, 1, 11), verdict.DoesNotHold}, row{"as short as kafka", with(0, 0, 5.9), verdict.DoesNotHold}, row{"as long as grpc", with(0, 0, 48.1), verdict.DoesNotHold})
}

func TestFanOutDecides(t *testing.T) {
	with := func(grpc, kafka, records float64) Figures {
		m := (&made{}).orders("grpc, 1", Wait, 10).orders("grpc, 8", Wait, 10+grpc).orders("kafka, 1", Wait, 4).orders("kafka, 8", Wait, 4+kafka)
		m.PerOrder("kafka, 1", published, "", []float64{1, 1, 1, 1, 1, 1})
		m.PerOrder("kafka, 8", published, "", []float64{records, records, records, records, records, records})
		return m.Figures
	}
	check(t, fanOut(), row{"as said", with(1.1, 0.9, 1), verdict.Holds}, row{"calls side by side cost less than δ", with(0.9, 0, 1), verdict.DoesNotHold},
		row{"the publisher of kafka waits longer", with(2, 1.1, 1), verdict.DoesNotHold}, row{"a record for each", with(2, 0, 8), verdict.DoesNotHold})
}

func TestChainLengthDecides(t *testing.T) {
	with := func(chained, early, completion float64) Figures {
		m := &made{}
		for _, form := range []string{"chained", "ack", "kafka"} {
			wait := early
			if form == "chained" {
				wait = chained
			}
			m.orders(form, completionSlope, completion).orders(form, waitSlope, wait)
		}
		return m.Figures
	}
	check(t, chainLength(), row{"as said", with(2.6, 2.4, 2.6), verdict.Holds}, row{"the wait hardly grows", with(2.4, 0, 6), verdict.DoesNotHold},
		row{"early answers wait", with(6, 2.6, 6), verdict.DoesNotHold}, row{"the completion hardly grows", with(6, 0, 2.4), verdict.DoesNotHold})
}

func TestDistanceDecides(t *testing.T) {
	with := func(grpc, kafka, done float64) Figures {
		return (&made{}).orders("grpc", waitTrips, grpc).orders("kafka", waitTrips, kafka).orders("grpc", completionTrips, grpc).orders("kafka", completionTrips, done).Figures
	}
	check(t, distance(), row{"as said", with(2.6, 1.4, 2.6), verdict.Holds}, row{"calls feel fewer", with(2.4, 1, 4), verdict.DoesNotHold},
		row{"messages feel more", with(3, 1.6, 4), verdict.DoesNotHold}, row{"messages feel none", with(3, 0, 4), verdict.DoesNotHold}, row{"the work is near", with(3, 1, 2), verdict.DoesNotHold})
}

func TestAggregationDecides(t *testing.T) {
	with := func(side, view float64) Figures {
		return (&made{}).orders("one-by-one", Wait, 50).orders("together", Wait, 50-side).orders("graphql", Wait, 50).orders("view", Wait, 50-side-view).Figures
	}
	check(t, aggregation(), row{"as said", with(1.1, 1.1), verdict.Holds}, row{"side by side saves under δ", with(0.9, 5), verdict.DoesNotHold}, row{"the view saves under δ", with(5, 0.9), verdict.DoesNotHold})
}

func TestBatchLogDecides(t *testing.T) {
	with := func(wait, cpu float64, alone int) Figures {
		return (&made{}).runs("call", Wait, 12).runs("batch", Wait, 12-wait).runs("message", cpuPerRecord, 1).runs("batch", cpuPerRecord, 1-cpu).
			count("batch", "records that do not link to their origin", alone, 2000).Figures
	}
	check(t, batchLog(), row{"as said", with(1.1, 0.06, 0), verdict.Holds}, row{"waits as long", with(0.9, 0.06, 0), verdict.DoesNotHold},
		row{"costs as much", with(5, 0.04, 0), verdict.DoesNotHold}, row{"one has no link", with(5, 0.5, 1), verdict.DoesNotHold})
}

func TestHardToFollowDecides(t *testing.T) {
	with := func(links float64) Figures {
		m := &made{}
		for arm, share := range map[string]float64{byCalls: 1, byLinks: links, byBoth: 1} {
			m.orders(arm, inCallerTrace, share).orders(arm, afterLinks, 1)
		}
		return m.Figures
	}
	check(t, hardToFollow(), row{"a quarter is found", with(0.25), verdict.Holds}, row{"over δ is lost", with(0.89), verdict.Holds}, row{"under δ is lost", with(0.91), verdict.DoesNotHold}, row{"all is found", with(1), verdict.DoesNotHold})
}

func TestEventualConsistencyDecides(t *testing.T) {
	with := func(first, last, calls int, apart float64) Figures {
		return (&made{}).count("kafka", staleFirst, first, 120).count("kafka", staleLast, last, 120).count("grpc", staleFirst, calls, 120).orders("kafka", apartCurve, apart).Figures
	}
	check(t, eventualConsistency(), row{"as said", with(120, 0, 0, 0.04), verdict.Holds}, row{"a third is fresh at once", with(80, 0, 0, 0), verdict.DoesNotHold},
		row{"a third stays stale", with(120, 40, 0, 0), verdict.DoesNotHold}, row{"calls are stale", with(120, 0, 40, 0), verdict.DoesNotHold},
		row{"the instruments differ", with(120, 0, 0, 0.06), verdict.DoesNotHold}, row{"a few stay stale", with(120, 3, 0, 0), verdict.NotShown})
}

func TestResourcesDecide(t *testing.T) {
	with := func(less, without float64) Figures {
		return (&made{}).runs("grpc", cpuAll, 6).runs("kafka", cpuAll, 6-less).runs("grpc", cpuServices, 6).runs("kafka", cpuServices, 6-without).Figures
	}
	check(t, resources(), row{"over δ", with(0.6, 1), verdict.Holds}, row{"only without the broker", with(0.4, 1), verdict.DoesNotHold}, row{"more", with(-3, 0), verdict.DoesNotHold})
}
