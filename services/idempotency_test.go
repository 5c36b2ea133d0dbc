package services

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"tracelab/services/faults"
)

// TestIdempotencyKey: the same key, the same order and answer, whatever the form and however the order ends.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			for what, p := range map[string]Placement{"good": tea, "bad": kettle} {
				e := in(fmt.Sprint(form, what), form)
				first := l.place(e, p, "Idempotency-Key", "k")
				l.await(first.id())
				again := l.place(e, p, "Idempotency-Key", "k")
				if first.status != again.status || string(first.body) != string(again.body) || first.id() != again.id() {
					t.Errorf("%s %s: answered %d %s and then %d %s, want the same", form, what, first.status, first.body, again.status, again.body)
				}
				other := maps.Clone(p)
				other["quantity"] = 1
				a := l.place(e, other, "Idempotency-Key", "k")
				if p := a.problem(t); a.status != 422 || p.Type != "/problems/idempotency_key_reused" {
					t.Errorf("%s %s: another body: answered %d %+v, want 422 idempotency_key_reused", form, what, a.status, p)
				}
				if n := len(l.orders(e.Run)); n != 1 {
					t.Errorf("%s %s: %d orders, want one", form, what, n)
				}
			}
		}
	})
}

func TestIdempotencyKeyInFlight(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			e := in(string(form), form)
			e.Faults = []faults.Fault{{Service: Orders, Kind: "delay", Value: "1s", Share: 1}}
			done := make(chan answer)
			go func() { done <- l.place(e, tea, "Idempotency-Key", "k") }()
			time.Sleep(500 * time.Millisecond)
			a := l.place(e, tea, "Idempotency-Key", "k")
			if p := a.problem(t); a.status != 409 || p.Type != "/problems/idempotency_key_in_use" {
				t.Errorf("%s: while the first is in flight: answered %d %+v, want 409 idempotency_key_in_use", form, a.status, p)
			}
			first := <-done
			if again := l.place(e, tea, "Idempotency-Key", "k"); first.id() == "" || again.id() != first.id() || again.status != first.status {
				t.Errorf("%s: afterwards: answered %d %s, want %d %s", form, again.status, again.id(), first.status, first.id())
			}
			if n := len(l.orders(e.Run)); n != 1 {
				t.Errorf("%s: %d orders, want one", form, n)
			}
		}
	})
}

// TestIdempotencyKeyIsFreeAfterARefusal: without an order there is nothing that a second one could double.
func TestIdempotencyKeyIsFreeAfterARefusal(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			e := in(string(form), form)
			refused := e
			refused.Faults = []faults.Fault{{Service: Orders, Kind: "error", Value: "bad_mood", Share: 1}}
			if a := l.place(refused, tea, "Idempotency-Key", "k"); a.status != 500 || a.problem(t).Type != "/problems/bad_mood" || a.id() != "" {
				t.Errorf("%s: answered %d %s, want 500 bad_mood and no order", form, a.status, a.body)
			}
			if n := len(l.orders(e.Run)); n != 0 {
				t.Errorf("%s: a refused placement left %d orders", form, n)
			}
			if a := l.place(e, tea, "Idempotency-Key", "k"); a.status/100 != 2 {
				t.Errorf("%s: the second try: answered %d %s, want 2xx", form, a.status, a.body)
			}
			if n := len(l.orders(e.Run)); n != 1 {
				t.Errorf("%s: %d orders, want one", form, n)
			}
		}
	})
}
