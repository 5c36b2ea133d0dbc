package experiments

import (
	"testing"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/lab"
)

// around are made-up figures of five runs: a mean with some spread.
func around(v, spread float64) Values {
	return Values{v - spread, v - spread/2, v, v + spread/2, v + spread}
}

// shares adds a made-up share of five runs of 200 orders each.
func (f *Figures) shares(arm, measure string, v, spread float64) {
	values := around(v, spread)
	*f = append(*f, Figure{Arm: arm, Measure: measure, Unit: "share", Per: PerRun, Values: values, Hits: int(v*1000 + 0.5), Of: 1000})
}

// queued runs a claim in virtual time on the embedded broker, at its own rate.
func queued(t *testing.T, c Claim, tamper func(*lab.Config), size smaller) *Report {
	t.Helper()
	return &virtually(t, []Claim{c}, settledFirst(tamper), func(s *Settings) { s.Kafka, s.Orders, s.Seeds = nil, size.orders, size.seeds }).Claims[0]
}

// settledFirst lets the instances of a service become one group before the first order. A member that has something to commit while it joins waits on
// a lock of the broker's client, and virtual time does not pass while anybody does.
func settledFirst(tamper func(*lab.Config)) func(*lab.Config) {
	return func(c *lab.Config) {
		several := len(c.Instances) > 0
		if tamper != nil {
			tamper(c)
		}
		if !several {
			return
		}
		c.Progress = func(p lab.Progress) {
			if p.Stage == lab.StageWarmUp {
				time.Sleep(time.Minute)
			}
		}
	}
}

// held checks a claim in virtual time: what its figures say, that they never say that it holds where its arms are alike, and that each sabotage
// changes what they say. The small size is for the latter. Under the race detector it checks the figures only; the stage claims of .ci/run does without
// it.
func held(t *testing.T, c Claim, want verdict.Word, size, small smaller) *Report {
	t.Helper()
	plain := queued(t, c, nil, size)
	if plain.alone() != want {
		t.Errorf("%s, want %s: %s", plain.alone(), want, plain.Why)
	}
	if plain.Evidence == nil || plain.Evidence.Seen == 0 {
		t.Errorf("no journey shows it: %+v", plain.Gates)
	}
	plain.log(t)
	if raced { // which sees the same code run
		return plain
	}
	c.Predict = nil
	same := queued(t, c, c.Alike, small)
	t.Logf("alike: %s", same.figuresSay())
	if same.alone() == verdict.Holds {
		t.Errorf("%s with arms that are alike: %s", same.alone(), same.Why)
	}
	if len(c.Sabotages) == 0 {
		t.Error("no sabotage")
	}
	for _, s := range c.Sabotages {
		r := queued(t, c, s.Change, small)
		t.Logf("%s: %s", s.Name, r.figuresSay())
		if r.alone() == want || s.Want != "" && r.alone() != s.Want {
			t.Errorf("%s: %s, want %q and not %s: %s", s.Name, r.alone(), s.Want, want, r.Why)
		}
	}
	return plain
}

// In virtual time the verdicts of what is small enough to run with the other tests do not depend on a machine; the others stand in
// queue_slow_test.go.
func TestClaimsOfQueues(t *testing.T) {
	t.Parallel() // in virtual time
	t.Run("unknown-outcome", func(t *testing.T) {
		r := held(t, unknownOutcome(), verdict.DoesNotHold, smaller{100, 1}, smaller{100, 1})
		r.near(t, "grpc", timedOut, 0.01)
		r.near(t, "grpc", doneUnseen, 0.1)
	})
	t.Run("long-job", func(t *testing.T) { held(t, longJob(), verdict.Holds, smaller{80, 1}, smaller{80, 1}) })
}

func TestSlowServiceDecides(t *testing.T) {
	for _, c := range []struct {
		name                string
		grpc, kafka, spread float64
		want                verdict.Word
	}{
		{"both are slowed by far more than δ", 470, 470, 20, verdict.Holds},
		{"both are slowed by just over δ", 20.1, 20.1, 0, verdict.Holds},
		{"both are slowed by exactly δ", 20, 20, 0, verdict.DoesNotHold},
		{"nobody is slowed", 0, 0, 3, verdict.DoesNotHold},
		{"calls are slowed, messages are not", 470, 5, 3, verdict.DoesNotHold},
		{"messages are slowed, calls are not", 5, 470, 3, verdict.DoesNotHold},
		{"the interval lies on both sides of δ", 25, 470, 10, verdict.NotShown},
	} {
		var f Figures
		f.PerRun("grpc", addedWait, "ms", around(c.grpc, c.spread))
		f.PerRun("grpc", addedCompletion, "ms", around(c.grpc, c.spread))
		f.PerRun("kafka", addedWait, "ms", around(0, c.spread))
		f.PerRun("kafka", addedCompletion, "ms", around(c.kafka, c.spread))
		if got := decided(t, slowService(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPeaksDecide(t *testing.T) {
	for _, c := range []struct {
		name                string
		grpc, kafka, spread float64
		want                verdict.Word
	}{
		{"calls are refused, messages are not", 0.3, 0, 0, verdict.Holds},
		{"calls are refused a little too seldom", 0.15, 0, 0, verdict.DoesNotHold},
		{"nobody is refused", 0, 0, 0, verdict.DoesNotHold},
		{"messages are refused as well", 0.3, 0.3, 0.01, verdict.DoesNotHold},
		{"just at the lines, where a thousand orders say too little", 0.2, 0.05, 0, verdict.NotShown},
		{"runs differ too much", 0.3, 0, 0.2, verdict.NotShown},
	} {
		var f Figures
		for arm, v := range map[string]float64{"grpc": c.grpc, "kafka": c.kafka, "grpc, queue without an end": c.kafka, "kafka, queue of 32": c.grpc} {
			spread := c.spread
			if v == 0 {
				spread = 0
			}
			f.shares(arm, peakErrors, v, spread)
		}
		for _, claim := range []Claim{surge(), ride()} {
			if got := decided(t, claim, f); got != c.want {
				t.Errorf("%s: %s: %s, want %s", claim.Name, c.name, got, c.want)
			}
		}
	}
}

func TestCascadeDecides(t *testing.T) {
	for _, c := range []struct {
		name                   string
		plain, bulkhead, kafka float64
		want                   verdict.Word
	}{
		{"others fail, but not behind a bulkhead or a queue", 0.8, 0.01, 0, verdict.Holds},
		{"others fail a little too seldom", 0.45, 0.01, 0, verdict.DoesNotHold},
		{"the bulkhead does not help", 0.8, 0.8, 0, verdict.DoesNotHold},
		{"messages fail, too", 0.8, 0.01, 0.2, verdict.DoesNotHold},
		{"at the line", 0.5, 0.01, 0, verdict.NotShown},
	} {
		var f Figures
		f.shares("grpc", othersFail, c.plain, 0)
		f.shares("grpc, bulkhead", othersFail, c.bulkhead, 0)
		f.shares("grpc, breaker", othersFail, 0.3, 0)
		f.shares("kafka", othersFail, c.kafka, 0)
		if got := decided(t, cascade(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestUnknownOutcomeDecides(t *testing.T) {
	for _, c := range []struct {
		charged, of int
		want        verdict.Word
	}{{60, 150, verdict.DoesNotHold}, {0, 150, verdict.Holds}, {7, 150, verdict.NotShown}, {1, 150, verdict.Holds}, {3, 150, verdict.NotShown}, {16, 150, verdict.DoesNotHold}} {
		var f Figures
		f.Count("grpc", doneUnseen, c.charged, c.of)
		if got := decided(t, unknownOutcome(), f); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.charged, c.of, got, c.want)
		}
	}
	var none Figures
	none.Count("grpc", doneUnseen, 0, 0)
	if _, err := unknownOutcome().Decide(none); err == nil {
		t.Error("without an order that was given up there is a verdict")
	}
}

func TestLongJobDecides(t *testing.T) {
	for _, c := range []struct {
		name              string
		grpc, kafka, lost int
		want              verdict.Word
	}{
		{"calls fail, messages do not", 90, 0, 0, verdict.Holds},
		{"some calls are answered", 80, 0, 0, verdict.DoesNotHold},
		{"a few calls are answered", 88, 0, 0, verdict.NotShown},
		{"messages fail", 90, 20, 0, verdict.DoesNotHold},
		{"messages are lost", 90, 0, 20, verdict.DoesNotHold},
	} {
		var f Figures
		f.Count("grpc", clientErrors, c.grpc, 90)
		f.Count("kafka", clientErrors, c.kafka, 90)
		f.Count("kafka", notDone, c.lost, 90)
		f.Count("ack", clientErrors, 0, 90)
		f.Count("ack", notDone, 0, 90)
		if got := decided(t, longJob(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
