package services

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/services/faults"
	"tracelab/services/flows"
)

// trip is a flow with two steps that are taken back, one behind the other, and two beside the one that fails.
const trip = `flow: trip
body: {name: text 1..10}
reasons: {sold_out: 409}
steps:
  desk.Take: {wait: 1ms, spread: 0}
  hotel.Book: {after: desk.Take, message: trip.taken, wait: 4ms, spread: 0, undo: {hotel.Cancel: {wait: 3ms, spread: 0}}}
  plane.Book: {after: hotel.Book, message: trip.housed, wait: 6ms, spread: 0, undo: {plane.Cancel: {wait: 5ms, spread: 0}}}
  car.Book: {after: plane.Book, message: trip.flown, wait: 2ms, spread: 0}
  guide.Book: {after: plane.Book, message: trip.flown, wait: 30ms, spread: 0, undo: {guide.Cancel: {wait: 1ms, spread: 0}}}
forms:
  rest: {each: http}
  grpc: {each: grpc}
  nested: {each: grpc, plan: callee}
  kafka: {each: kafka, desk.Take: grpc}
  hybrid: {each: kafka, desk.Take: grpc, hotel.Book: grpc}
  early: {each: grpc, answer: after hotel.Book}
  split: {each: grpc, guide.Book: kafka}
`

// TestAFailedUnitIsTakenBack, in every form: each step that was done, once; in reverse order where calls do it; the one beside that was still in
// work when the unit failed, too; and the client waits for none of it.
func TestAFailedUnitIsTakenBack(t *testing.T) {
	f := parsed(t, trip)
	undos := []string{"hotel.Cancel", "plane.Cancel", "guide.Cancel"}
	for _, form := range f.Forms() {
		inBubble(t, func(l *testLab) {
			fault, err := ParseFault(f, "car:error=sold_out")
			l.must(err)
			l.place(Experiment{Run: "r", Form: form, Flow: "trip", Faults: []faults.Fault{fault}}, parcelOf)
			answered := time.Now()
			l.until(string(form)+": all is taken back", func() bool {
				return !slices.ContainsFunc(undos, func(undo string) bool { return len(l.spansNamed(undo)) == 0 })
			})
			time.Sleep(2 * time.Second)
			for _, undo := range undos {
				spans := l.spansNamed(undo)
				if len(spans) != 1 || l.countsOf(form, Step(undo)).Undone != 1 {
					t.Errorf("%s: %s was done %d times, counted %+v", form, undo, len(spans), l.countsOf(form, Step(undo)))
					continue
				}
				if spans[0].StartTime().Before(answered) && (form == "rest" || form == "grpc" || form == "nested") {
					t.Errorf("%s: the client waited for %s", form, undo)
				}
			}
			if begun := l.openedAt("hotel.Cancel"); form != Kafka && form != Hybrid && begun.Before(l.spansNamed("plane.Cancel")[0].EndTime()) {
				t.Errorf("%s: hotel.Cancel begins before plane.Cancel has ended: the last step is taken back first", form)
			}
			for _, s := range l.orders("r") {
				if s.Status != Failed || len(s.Failures) != 1 || s.Failures[0].Step != "car.Book" {
					t.Errorf("%s: %+v", form, s)
				}
			}
		}, withFlow(t, f))
	}
}

// TestWhatWasNotDoneIsNotTakenBack: the step that failed itself, and what comes behind it.
func TestWhatWasNotDoneIsNotTakenBack(t *testing.T) {
	f := parsed(t, trip)
	for _, form := range f.Forms() {
		inBubble(t, func(l *testLab) {
			fault, err := ParseFault(f, "plane:error=sold_out@1")
			l.must(err)
			l.place(Experiment{Run: "r", Form: form, Flow: "trip", Faults: []faults.Fault{fault}}, parcelOf)
			l.until(string(form)+": the hotel is canceled", func() bool { return len(l.spansNamed("hotel.Cancel")) == 1 })
			time.Sleep(2 * time.Second)
			for _, undo := range []string{"plane.Cancel", "guide.Cancel"} {
				if n := len(l.spansNamed(undo)); n > 0 {
					t.Errorf("%s: %s was done %d times for what had not been done", form, undo, n)
				}
			}
		}, withFlow(t, f))
		if testing.Short() {
			break
		}
	}
}

// TestAHealthyUnitIsNotTakenBack: nothing of an undo is to be seen.
func TestAHealthyUnitIsNotTakenBack(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range l.config.Flow.Forms() {
			a := l.place(Experiment{Run: "r", Form: form, Flow: "trip"}, parcelOf)
			if s := l.await(a.id()); s.Status != Completed {
				t.Errorf("%s: %+v", form, s)
			}
		}
		for _, s := range l.ended() {
			if strings.Contains(s.Name(), "Cancel") || s.Name() == "undo" || strings.Contains(s.Name(), "trip.failed") {
				t.Errorf("a span %s", s.Name())
			}
		}
	}, withFlow(t, parsed(t, trip)))
}

// TestAStepThatOutlivesItsUnitIsTakenBack: the call times out and the unit fails, and the step is done all the same.
func TestAStepThatOutlivesItsUnitIsTakenBack(t *testing.T) {
	text := replaceOnce(t, trip, "wait: 6ms, spread: 0, undo", "wait: 6ms, spread: 0, timeout: 20ms, undo")
	inBubble(t, func(l *testLab) {
		for _, form := range []Form{"rest", "grpc"} {
			fault, err := ParseFault(l.config.Flow, "plane:hang=1s")
			l.must(err)
			a := l.place(Experiment{Run: "r", Form: form, Flow: "trip", Faults: []faults.Fault{fault}}, parcelOf)
			if a.status != http.StatusGatewayTimeout {
				t.Fatalf("%s: answered %d %s", form, a.status, a.body)
			}
			time.Sleep(3 * time.Second)
			if done, undone := l.countsOf(form, "plane.Cancel"), l.countsOf(form, "hotel.Cancel"); done.Undone > 1 || undone.Undone != 1 {
				t.Errorf("%s: counted %+v of the plane, %+v of the hotel", form, done, undone)
			}
		}
	}, withFlow(t, parsed(t, text)))
}

// TestAnUndoIsDoneOnce, however often it is asked for, and one that comes before its step is done when the step is.
func TestAnUndoIsDoneOnce(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		var hotel *node
		for _, n := range l.system.nodes {
			if n.name == "hotel" {
				hotel = n
			}
		}
		e := Experiment{Run: "r", Form: GRPC, Flow: "trip"}
		row, _ := l.config.Flow.Row("hotel.Book")
		order := orderOf("u1")
		_, err := hotel.handle(l.Context(), e, row.Step, order)
		l.must(err)
		for range 3 {
			_, err := hotel.takeBack(l.Context(), e, row, order)
			l.must(err)
		}
		guide, _ := l.config.Flow.Row("guide.Book")
		early := orderOf("u2")
		_, err = hotel.takeBack(l.Context(), e, guide, early) // before the step
		l.must(err)
		_, err = hotel.handle(l.Context(), e, guide.Step, early)
		l.must(err)
		got := []CallCounts{l.countsOf(GRPC, "hotel.Cancel"), l.countsOf(GRPC, "guide.Cancel")}
		if diff := cmp.Diff([]CallCounts{{Undone: 1, NotUndone: 2}, {Undone: 1, NotUndone: 1}}, got); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	}, withFlow(t, parsed(t, trip)))
}

// TestTheFlowOrderReleasesItsStock when the payment fails for good.
func TestTheFlowOrderReleasesItsStock(t *testing.T) {
	row, ok := flows.Order().Row(Reserve)
	if !ok || row.Undo == nil {
		t.Fatal("nothing takes the reservation back")
	}
	inBubble(t, func(l *testLab) {
		fault, err := ParseFault(flows.Order(), "payment:error=payment_declined")
		l.must(err)
		for _, form := range allForms() {
			l.place(Experiment{Run: string(form), Form: form, Faults: []faults.Fault{fault}}, tea)
			l.until(string(form)+": the stock is released", func() bool { return len(l.spansNamed(string(row.Undo.Step))) > 0 })
			time.Sleep(time.Second)
			if n := len(l.spansNamed(string(row.Undo.Step))); n != 1 {
				t.Errorf("%s: released %d times", form, n)
			}
			l.spans.Reset()
		}
	})
}
