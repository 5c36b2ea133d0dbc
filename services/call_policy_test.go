package services

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/faults"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// TestEachAttemptIsASpan: a call that fails is made again, over HTTP and gRPC; each attempt has a CLIENT span of its own, which says which
// attempt it is and links to the one before it.
func TestEachAttemptIsASpan(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for form, span := range map[Form]string{REST: "POST /fetch", GRPC: "tracelab.shop.v1.Store/Fetch"} {
			fault, err := ParseFault(l.config.Flow, "store:error=overloaded")
			l.must(err)
			e := Experiment{Run: "r", Form: form, Flow: "shop", Faults: []faults.Fault{fault}}
			if a := l.place(e, parcelOf); a.status != http.StatusInternalServerError || a.problem(t).Type != "/problems/overloaded" {
				t.Fatalf("%s: answered %d %s", form, a.status, a.body)
			}
			var before trace.SpanContext
			calls := slices.DeleteFunc(l.spansNamed(span), func(s sdktrace.ReadOnlySpan) bool { return s.SpanKind() != trace.SpanKindClient })
			if len(calls) != 3 {
				t.Fatalf("%s: %d CLIENT spans, want one for each of 3 attempts", form, len(calls))
			}
			for i, s := range calls {
				attempt, resent := attr(s, carrier.KeyAttempt), attr(s, "http.request.resend_count")
				if wantAttempt, wantResent := number(i+1, i > 0), number(i, i > 0 && form == REST); attempt != wantAttempt || resent != wantResent {
					t.Errorf("%s: attempt %q, resent %q; want %q and %q", form, attempt, resent, wantAttempt, wantResent)
				}
				if i > 0 && (len(s.Links()) != 1 || s.Links()[0].SpanContext.SpanID() != before.SpanID()) {
					t.Errorf("%s: attempt %d links to %v, want the one before it", form, i+1, s.Links())
				}
				before = s.SpanContext()
			}
			if diff := cmp.Diff(CallCounts{Calls: 1, Retries: 2}, l.countsOf(form, fetch)); diff != "" {
				t.Errorf("%s: counts (-want +got):\n%s", form, diff)
			}
		}
	}, withFlow(t, parsed(t, shop(", retry: 2 within 2s, backoff 50ms, budget: none"))))
}

func number(n int, there bool) string {
	if !there {
		return ""
	}
	return itoa(n)
}

// TestWhatIsTriedAgain: what may go better another time, and not what was said no to, by the flow's own reasons or by the caller itself.
func TestWhatIsTriedAgain(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		p := l.policyOfDesk()
		for _, c := range []struct {
			err      error
			attempts int
		}{
			{carrier.Fail("", carrier.Unavailable, ""), 3}, {carrier.Fail("", carrier.Timeout, ""), 3}, {carrier.Fail("", "overloaded", ""), 3},
			{errors.New("broken"), 3}, {carrier.Fail("", "sold_out", ""), 1}, {carrier.Fail("", carrier.BadRequest, ""), 1},
			{carrier.Fail("", carrier.Cancelled, ""), 1}, {carrier.Fail("", carrier.BreakerOpen, ""), 1}, {carrier.Fail("", carrier.BulkheadFull, ""), 1},
			{&carrier.Failed{Failures: append(carrier.Fail("", carrier.Timeout, "").Failures, carrier.Fail("", "sold_out", "").Failures...)}, 1},
			{nil, 1},
		} {
			var at []time.Duration
			began := time.Now()
			err := p.do(context.Background(), Experiment{Form: GRPC, Seed: 3}, &orderpb.Event{}, func(context.Context) error {
				at = append(at, time.Since(began))
				return c.err
			})
			if !errors.Is(err, c.err) || len(at) != c.attempts {
				t.Errorf("%v: %d attempts that ended with %v, want %d", c.err, len(at), err, c.attempts)
			}
			for i := 1; i < len(at); i++ {
				if pause := at[i] - at[i-1]; pause < 0 || pause > 50*time.Millisecond<<(i-1) {
					t.Errorf("%v: %v before attempt %d, want up to %v", c.err, pause, i+1, 50*time.Millisecond<<(i-1))
				}
			}
			time.Sleep(budgetWindow)
		}
		entry := &callPolicy{node: p.node, row: p.row, entry: true}
		if err := carrier.Fail("", carrier.Unavailable, ""); entry.retryable(&orderpb.Event{}, err) || !entry.retryable(&orderpb.Event{IdempotencyKey: "k"}, err) {
			t.Error("the entry is tried again for clients with an Idempotency-Key, and for no others: another attempt would be another order")
		}
	}, withFlow(t, parsed(t, shop(", retry: 2 within 2s, backoff 50ms"))))
}

// TestALastAttemptThatWasNotSentSaysNothingOfTheOthers: a call is unreachable when none of its attempts was sent.
func TestALastAttemptThatWasNotSentSaysNothingOfTheOthers(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		p := l.policyOfDesk()
		for _, c := range []struct {
			attempts []*carrier.Failed
			want     string
		}{
			{[]*carrier.Failed{carrier.Fail("", carrier.Unreachable, ""), carrier.Fail("", carrier.Unreachable, ""), carrier.Fail("", carrier.Unreachable, "")}, carrier.Unreachable},
			{[]*carrier.Failed{carrier.Fail("", carrier.Unreachable, ""), carrier.Fail("", carrier.Unavailable, ""), carrier.Fail("", carrier.Unreachable, "")}, carrier.Unavailable},
			{[]*carrier.Failed{carrier.Fail("", carrier.Timeout, ""), carrier.Fail("", carrier.Unreachable, ""), carrier.Fail("", carrier.Unreachable, "")}, carrier.Unavailable},
			// The service was called, and could not reach one behind it.
			{[]*carrier.Failed{carrier.Fail("a.B", carrier.Unreachable, ""), carrier.Fail("", carrier.Unreachable, ""), carrier.Fail("", carrier.Unreachable, "")}, carrier.Unavailable},
		} {
			attempt := 0
			err := p.do(context.Background(), Experiment{Form: GRPC, Seed: 3}, &orderpb.Event{}, func(context.Context) error {
				attempt++
				return c.attempts[attempt-1]
			})
			if got := carrier.AsFailed("", err).Reason(); got != c.want || attempt != len(c.attempts) {
				t.Errorf("%d attempts that ended with %s, want %s", attempt, got, c.want)
			}
			time.Sleep(budgetWindow)
		}
	}, withFlow(t, parsed(t, shop(", retry: 2 within 2s, backoff 50ms"))))
}

// TestARetryWaitsAsLongAsItIsTold, and is left out when it would end behind its bound or its caller's deadline.
func TestARetryWaitsAsLongAsItIsTold(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		p := l.policyOfDesk()
		attempts := func(ctx context.Context, after time.Duration) (at []time.Duration) {
			began := time.Now()
			_ = p.do(ctx, Experiment{}, &orderpb.Event{}, func(context.Context) error {
				at = append(at, time.Since(began))
				failed := carrier.Fail("", carrier.QueueFull, "")
				failed.RetryAfter = after
				return failed
			})
			return at
		}
		if got := attempts(context.Background(), 900*time.Millisecond); !slices.Equal(got, []time.Duration{0, 900 * time.Millisecond, 1800 * time.Millisecond}) {
			t.Errorf("attempts at %v, want them 900 ms apart within 2 s", got)
		}
		if got := attempts(context.Background(), 3*time.Second); len(got) != 1 {
			t.Errorf("attempts at %v: the second would begin behind its bound", got)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		if got := attempts(ctx, 900*time.Millisecond); len(got) != 1 {
			t.Errorf("attempts at %v: the second would begin behind its caller's deadline", got)
		}
	}, withFlow(t, parsed(t, shop(", retry: 3 within 2s, backoff 50ms"))))
}

// TestABudgetBoundsAStorm: with everything failing, retries are a share of the calls; without a budget they are a multiple.
func TestABudgetBoundsAStorm(t *testing.T) {
	for budget, want := range map[string][2]float64{"10%": {1.09, 1.11}, "none": {4, 4}} {
		m := &meters{}
		inBubble(t, func(l *testLab) {
			p := l.policyOfDesk()
			var mu sync.Mutex
			attempts, worst := 0, 0.0
			const calls = 1600
			for call := 1; call <= calls; call++ {
				go func() {
					_ = p.do(context.Background(), Experiment{Run: "r", Form: GRPC, Number: call}, &orderpb.Event{}, func(context.Context) error {
						mu.Lock()
						defer mu.Unlock()
						attempts++
						return carrier.Fail("", carrier.Unavailable, "")
					})
				}()
				time.Sleep(time.Second / 80)
				mu.Lock()
				worst = max(worst, float64(attempts-2*budgetReserve)/float64(call))
				mu.Unlock()
			}
			time.Sleep(2 * time.Second) // for the last ones
			mu.Lock()
			load := float64(attempts) / calls
			mu.Unlock()
			if load < want[0] || load > want[1]+0.01 || budget != "none" && worst > want[1]+0.05 {
				t.Errorf("budget %s: load factor %.3f, at worst %.3f on the way, want %v", budget, load, worst, want)
			}
			counts := l.countsOf(GRPC, fetch)
			if counts.Calls != calls || counts.Retries != attempts-calls || (counts.OverBudget > 0) != (budget != "none") {
				t.Errorf("budget %s: counted %+v of %d attempts", budget, counts, attempts)
			}
			if retries, over := l.sum(m, "tracelab.call.retries", ""), l.sum(m, "tracelab.call.refused", overBudget); retries != counts.Retries || over != counts.OverBudget {
				t.Errorf("budget %s: measured %d retries and %d over the budget, counted %+v", budget, retries, over, counts)
			}
		}, m.measured, withFlow(t, parsed(t, shop(", retry: 3 within 2s, backoff 50ms, budget: "+budget))))
	}
}

// TestABreakerOpensAndCloses: closed until half of the last four calls have failed, then open for a second, then one call is tried.
func TestABreakerOpensAndCloses(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		p := l.policyOfDesk()
		e := Experiment{Run: "r", Form: GRPC}
		var states []string
		call := func(err error) {
			got := carrier.AsFailed("", errors.Join(p.do(context.Background(), e, &orderpb.Event{}, func(context.Context) error { return err })))
			said := "done"
			if got.Failures[0].GetDetail() != "" || got.Reason() != carrier.Internal {
				said = got.Reason()
			}
			states = append(states, said+" "+strings.ToLower(p.breaker.State().String()))
		}
		down, no := carrier.Fail("", carrier.Unavailable, "down"), carrier.Fail("", "sold_out", "none left")
		for _, err := range []error{down, no, no, no, no} { // a refusal of the flow's own is an answer
			call(err)
		}
		call(down)
		call(down) // two of the last four
		call(no)
		time.Sleep(999 * time.Millisecond)
		call(no)
		time.Sleep(time.Millisecond)
		call(down) // the one that is tried
		time.Sleep(time.Second)
		call(no)
		call(no)
		want := []string{"unavailable closed", "sold_out closed", "sold_out closed", "sold_out closed", "sold_out closed", "unavailable closed", "unavailable open",
			"breaker_open open", "breaker_open open", "unavailable open", "sold_out closed", "sold_out closed"}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Errorf("what each call got, and the breaker's state behind it (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(CallCounts{Calls: 12, BreakerOpen: 2, Trips: 2}, l.countsOf(GRPC, fetch)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		refusals := l.spansNamed("refuse store.Fetch")
		if len(refusals) != 2 || attr(refusals[0], "error.type") != carrier.BreakerOpen || attr(refusals[0], KeyStep) != "" {
			t.Errorf("%d spans of refusals: %v", len(refusals), refusals)
		}
	}, withFlow(t, parsed(t, shop(", breaker: 50% of 4, 1s"))))
}

// together places units at the same time and returns the answers, by what they say.
func (l *testLab) together(form Form, units int) map[string]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	answers := map[string]int{}
	for n := range units {
		all.Go(func() {
			a := l.place(Experiment{Run: "r", Form: form, Flow: l.config.Flow.Name, Number: n}, parcelOf)
			said := itoa(a.status)
			if a.status >= 400 {
				said += " " + strings.TrimPrefix(a.problem(l.T).Type, "/problems/")
				if after := a.header.Get("Retry-After"); after != "" {
					said += ", again after " + after
				}
			}
			mu.Lock()
			defer mu.Unlock()
			answers[said]++
		})
	}
	all.Wait()
	return answers
}

// TestWorkersQueueAndBulkhead: 10 units at once, each of which needs the store for 20 ms. What has no room is refused at once, and told apart
// from a step that failed, in the answer, in the unit's state and on a span.
func TestWorkersQueueAndBulkhead(t *testing.T) {
	for _, c := range []struct {
		fields string
		want   map[string]int
		counts CallCounts
		fetch  int // ms from the first start of the step to its last end
	}{
		{"", map[string]int{"201": 10}, CallCounts{}, 20},
		{", workers: 2", map[string]int{"201": 10}, CallCounts{}, 100},
		{", workers: 2, queue: 3", map[string]int{"201": 5, "503 queue_full, again after 1": 5}, CallCounts{QueueFull: 5}, 60},
		{", bulkhead: 4", map[string]int{"201": 4, "503 bulkhead_full": 6}, CallCounts{Calls: 10, BulkheadFull: 6}, 20},
	} {
		for _, form := range []Form{REST, GRPC} {
			inBubble(t, func(l *testLab) {
				if diff := cmp.Diff(c.want, l.together(form, 10)); diff != "" {
					t.Errorf("%q, %s: answers (-want +got):\n%s", c.fields, form, diff)
				}
				if diff := cmp.Diff(c.counts, l.countsOf(form, fetch)); diff != "" {
					t.Errorf("%q, %s: counts (-want +got):\n%s", c.fields, form, diff)
				}
				steps := l.spansNamed(string(fetch))
				end := slices.MaxFunc(steps, func(a, b sdktrace.ReadOnlySpan) int { return a.EndTime().Compare(b.EndTime()) }).EndTime()
				if took := end.Sub(steps[0].StartTime()); took != time.Duration(c.fetch)*time.Millisecond {
					t.Errorf("%q, %s: the store worked for %v, want %d ms", c.fields, form, took, c.fetch)
				}
				refused := 0
				for _, s := range l.orders("r") {
					if len(s.Failures) > 0 && s.Failures[0].Refused() && s.Failures[0].Step == string(fetch) {
						refused++
					}
				}
				if spans := len(l.spansNamed("refuse store.Fetch")); refused != c.counts.Refused() || spans != refused {
					t.Errorf("%q, %s: %d units say that they were refused, and %d spans; want %d", c.fields, form, refused, spans, c.counts.Refused())
				}
			}, withFlow(t, parsed(t, shop(c.fields))))
		}
	}
}

// TestWorkersHoldForMessages: a consumer works on as many records at a time as its service has workers.
func TestWorkersHoldForMessages(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.together(Kafka, 10)
		l.until("all are done", func() bool { return len(l.spansNamed("truck.Load")) == 10 })
		var most, now int
		type edge struct {
			at time.Time
			by int
		}
		var edges []edge
		for _, s := range l.spansNamed(string(fetch)) {
			edges = append(edges, edge{s.StartTime(), 1}, edge{s.EndTime(), -1})
		}
		slices.SortFunc(edges, func(a, b edge) int {
			if c := a.at.Compare(b.at); c != 0 {
				return c
			}
			return a.by - b.by
		})
		for _, e := range edges {
			now += e.by
			most = max(most, now)
		}
		if most != 2 {
			t.Errorf("%d at a time, want 2", most)
		}
	}, withFlow(t, parsed(t, shop(", workers: 3"))), func(c *Config) { c.WorkersOf = map[string]int{"store": 2} })
}
