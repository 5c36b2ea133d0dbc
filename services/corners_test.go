package services

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"tracelab/services/flows"
)

// TestAckCarriesOnFromItsMailbox: the client is answered after the entry's own step, and the calls go on without it under one span, whose parent
// has ended.
func TestAckCarriesOnFromItsMailbox(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		e := Experiment{Run: "r", Form: "ack", Seed: 3}
		begin := time.Now()
		a := l.place(e, tea)
		took := time.Since(begin)
		wait, _ := costOf(e, Accept)
		if a.status != 202 || took > wait+5*time.Millisecond {
			t.Errorf("answered %d %s after %v, want 202 after the %v of the first step", a.status, a.body, took, wait)
		}
		if s := l.await(a.id()); s.Status != Completed || len(s.Steps) != 7 {
			t.Errorf("%+v, want all seven steps done, and heard of", s)
		}
		time.Sleep(time.Second)
		for _, span := range l.ended() {
			if span.Name() != "carry on" {
				continue
			}
			for _, server := range l.ended() {
				if server.SpanContext().SpanID() == span.Parent().SpanID() &&
					(server.SpanKind() != trace.SpanKindServer || serviceOf(server) != Orders || span.StartTime().Before(server.EndTime()) || !attributes(span)[keyCarryOn].AsBool()) {
					t.Errorf("%s from %v is under %s of %s until %v, want it behind the server span", span.Name(), span.StartTime(), server.Name(), serviceOf(server), server.EndTime())
				}
			}
			return
		}
		t.Error("no span carry on")
	})
}

// TestAFullMailboxRefuses: before an order is accepted, so that none is lost; a place that is free again takes the next one.
func TestAFullMailboxRefuses(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		e := Experiment{Run: "r", Form: "ack", Faults: always(Payment, "delay", "1s")}
		answers := map[int]int{}
		for number := range 5 {
			e.Number = number
			a := l.place(e, tea)
			answers[a.status]++
			if a.status == http.StatusServiceUnavailable && a.problem(t).Type != "/problems/mailbox_full" {
				t.Errorf("refused with %s", a.body)
			}
		}
		if answers[202] != 2 || answers[503] != 3 {
			t.Errorf("answers %v, want 2 accepted and 3 refused", answers)
		}
		time.Sleep(5 * time.Second)
		if a := l.place(e, tea); a.status != 202 {
			t.Errorf("after the work: %d %s, want 202", a.status, a.body)
		}
		sums := l.system.keeper.ledger.sumsOf("r").Forms["ack"]
		if sums.Accepted != 3 || sums.Completed != 2 {
			t.Errorf("%+v, want 3 accepted, 2 of them completed by now", sums)
		}
	}, func(c *Config) { c.Mailbox, c.Workers = 2, 1 })
}

// TestReplyAnswersWhenAllIsDone, though messages carry it; the caller's wait is its completion.
func TestReplyAnswersWhenAllIsDone(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		a := l.place(Experiment{Run: "r", Form: "reply"}, tea)
		if s := l.state(a.id()); a.status != 201 || s.Status != Completed {
			t.Errorf("answered %d %s while the order is %s, want 201 and completed", a.status, a.body, s.Status)
		}
		if a := l.place(Experiment{Run: "r", Form: "reply", Number: 1}, kettle); a.status != 409 || a.problem(t).Failures[0].Step != string(Reserve) || a.id() == "" {
			t.Errorf("out of stock: answered %d %s, want the 409 that a call form gives", a.status, a.body)
		}
	})
}

// TestNoReplyInTime is a 504 with the order's address, and the order is completed all the same.
func TestNoReplyInTime(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range []Form{"reply", "told"} {
			begin := time.Now()
			a := l.place(Experiment{Run: "r", Form: form, Faults: always(Shipping, "delay", "6s")}, tea)
			took := time.Since(begin)
			if a.status != http.StatusGatewayTimeout || took < replyTimeout || took > replyTimeout+time.Second || a.id() == "" {
				t.Errorf("%s: answered %d %s after %v, want 504 after %v", form, a.status, a.body, took, replyTimeout)
			}
			if s := l.await(a.id()); s.Status != Completed {
				t.Errorf("%s: %+v, want completed", form, s)
			}
		}
	}, func(c *Config) { c.Flow = withRepliesBy(t) })
}

// TestAMailboxIsEmptyBeforeTheServicesStop: what was accepted is done, as far as the shutdown's time allows.
func TestAMailboxIsEmptyBeforeTheServicesStop(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for number := range 20 {
			l.place(Experiment{Run: "r", Form: "ack", Number: number}, tea)
		}
		keeper := l.system.keeper
		if err := l.stop(10 * time.Second); err != nil {
			t.Error(err)
		}
		if sums := keeper.ledger.sumsOf("r").Forms["ack"]; sums.Completed != 20 {
			t.Errorf("%+v, want 20 completed", sums)
		}
	}, func(c *Config) { c.Workers = 2 })
	inBubble(t, func(l *testLab) {
		l.place(Experiment{Run: "r", Form: "ack", Faults: always(Payment, "delay", "1m")}, tea)
		keeper, begin := l.system.keeper, time.Now()
		_ = l.stop(3 * time.Second) // what it says is of the peers
		if sums := keeper.ledger.sumsOf("r").Forms["ack"]; time.Since(begin) > 4*time.Second || sums.Completed != 0 || sums.Accepted != 1 {
			t.Errorf("%+v after %v, want the order cut off in time", sums, time.Since(begin))
		}
	})
}

// TestAnswersThatCannotBe are refused with their place.
func TestAnswersThatCannotBe(t *testing.T) {
	for answer, word := range map[string]string{
		"after archive.Keep": "is not told", "after nobody.Knows": "no step", "soon": "after STEP", "after truck.Load": "not every unit",
	} {
		_, err := flows.Parse("p.yaml", []byte(parcel+"  early: {each: kafka, desk.Take: grpc, answer: "+answer+"}\n"))
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want an error with %q", answer, err, word)
		}
	}
}
