package services

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func itoa(n int) string { return strconv.Itoa(n) }

// everyStep is what each order goes through, whatever carries it.
var everyStep = sorted(Accept, Reserve, Charge, Dispatch, Notify, Record, Complete)

func TestEveryFormRunsTheSameSteps(t *testing.T) {
	for name, run := range map[string]func(*testing.T, func(*testLab), ...func(*Config)){"virtual": inBubble, "loopback": onLoopback} {
		t.Run(name, func(t *testing.T) {
			run(t, func(l *testLab) {
				for _, table := range Topologies() {
					for _, form := range Forms() {
						for number := range 3 {
							checkSteps(l, Experiment{Run: table.Name, Form: form, Topology: table.Name, Number: number, Seed: 1})
						}
					}
				}
			})
		})
	}
}

// heardOf are the steps of a message form that orders hears of: its own, the calls it made, and the three branches.
var heardOf = map[Form][]Step{
	Kafka:  sorted(Accept, Dispatch, Notify, Record, Complete),
	Hybrid: sorted(Accept, Reserve, Dispatch, Notify, Record, Complete),
}

// checkSteps places an order and compares the spans of its steps, and what orders has heard of it, with everyStep.
func checkSteps(l *testLab, e Experiment) {
	l.Helper()
	name := fmt.Sprintf("%s %s %d", e.Topology, e.Form, e.Number)
	a := l.place(e, tea)
	if a.id() == "" {
		l.Fatalf("%s: answered %d %s %v", name, a.status, a.body, a.err)
	}
	state := l.await(a.id())
	if state.Status != Completed {
		l.Errorf("%s: %s, want completed", name, state.Status)
	}
	// orders hears of a step before the step's span ends, when the span's owner has published by then.
	l.until(name+": all steps have ended", func() bool { return len(l.steps(e)) >= len(everyStep) })
	if diff := cmp.Diff(everyStep, l.steps(e)); diff != "" {
		l.Errorf("%s: steps with a span (-want +got):\n%s", name, diff)
	}
	heard := everyStep
	if e.Form == Kafka || e.Form == Hybrid {
		heard = heardOf[e.Form]
	}
	if diff := cmp.Diff(heard, sorted(state.Steps...)); diff != "" {
		l.Errorf("%s: steps that orders has heard of (-want +got):\n%s", name, diff)
	}
}

// TestWhoCallsWhom: in the order topology orders calls everybody; in the chained one each callee carries on.
func TestWhoCallsWhom(t *testing.T) {
	chained := map[Step]string{Accept: Gateway, Reserve: Orders, Charge: Inventory, Dispatch: Payment, Notify: Payment, Record: Payment}
	flat := map[Step]string{Accept: Gateway, Reserve: Orders, Charge: Orders, Dispatch: Orders, Notify: Orders, Record: Orders}
	inBubble(t, func(l *testLab) {
		for topology, want := range map[string]map[Step]string{"order": flat, "chained": chained} {
			for _, form := range []Form{REST, GRPC} {
				e := Experiment{Run: topology, Form: form, Topology: topology}
				a := l.place(e, tea)
				if a.status != 201 {
					t.Fatalf("%s %s: answered %d %s", topology, form, a.status, a.body)
				}
				got := map[Step]string{}
				for step, spans := range l.stepSpans(e) {
					if step != Complete { // local: nobody calls
						got[step] = l.caller(spans[0])
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s %s: callers (-want +got):\n%s", topology, form, diff)
				}
			}
		}
	})
}

// caller is the service whose CLIENT span caused the SERVER span above a step.
func (l *testLab) caller(step sdktrace.ReadOnlySpan) string {
	l.Helper()
	byID := map[trace.SpanID]sdktrace.ReadOnlySpan{}
	for _, span := range l.spans.Ended() {
		byID[span.SpanContext().SpanID()] = span
	}
	server := byID[step.Parent().SpanID()]
	if server == nil || server.SpanKind() != trace.SpanKindServer {
		l.Fatalf("%s: the span above is no SERVER span", step.Name())
	}
	client := byID[server.Parent().SpanID()]
	if client == nil || client.SpanKind() != trace.SpanKindClient {
		l.Fatalf("%s: the span above its server is no CLIENT span", step.Name())
	}
	return serviceOf(client)
}

// TestEveryMessageHasItsConsumers: each service that a topic leads to consumes it, and nobody else does.
func TestEveryMessageHasItsConsumers(t *testing.T) {
	want := map[string][]string{
		Orders: {"order.failed", "order.fulfilled"}, Inventory: {"order.placed"}, Payment: {"stock.reserved"},
		Shipping: {"payment.captured"}, Notification: {"payment.captured"}, Analytics: {"payment.captured"},
	}
	inBubble(t, func(l *testLab) {
		got := map[string][]string{}
		for _, n := range l.system.nodes {
			if topics := n.topics(); len(topics) > 0 {
				got[n.name] = topics
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("consumers (-want +got):\n%s", diff)
		}
	})
}

// TestWithout has the steps that are reached when one fails, by hand.
func TestWithout(t *testing.T) {
	for _, c := range []struct {
		failed []Step
		want   []Step
	}{
		{nil, []Step{Accept, Reserve, Charge, Dispatch, Notify, Record, Complete}},
		{[]Step{Accept}, []Step{Accept}},
		{[]Step{Reserve}, []Step{Accept, Reserve}},
		{[]Step{Charge}, []Step{Accept, Reserve, Charge}},
		{[]Step{Dispatch}, []Step{Accept, Reserve, Charge, Dispatch, Notify, Record}},
		{[]Step{Notify}, []Step{Accept, Reserve, Charge, Dispatch, Notify, Record}},
		{[]Step{Record}, []Step{Accept, Reserve, Charge, Dispatch, Notify, Record}},
		{[]Step{Dispatch, Record}, []Step{Accept, Reserve, Charge, Dispatch, Notify, Record}},
		{[]Step{Complete}, []Step{Accept, Reserve, Charge, Dispatch, Notify, Record, Complete}},
	} {
		for _, table := range Topologies() {
			if diff := cmp.Diff(c.want, table.Without(c.failed...)); diff != "" {
				t.Errorf("%s without %v (-want +got):\n%s", table.Name, c.failed, diff)
			}
		}
	}
}

// The messages of the table, by hand, for each form and failing step.
func TestDeliveries(t *testing.T) {
	type topics = map[string]int
	placed, reserved, captured, fulfilled, failed := "order.placed", "stock.reserved", "payment.captured", "order.fulfilled", "order.failed"
	kafka := map[Step]topics{
		"":       {placed: 1, reserved: 1, captured: 3, fulfilled: 3},
		Accept:   {},
		Reserve:  {placed: 1, failed: 1},
		Charge:   {placed: 1, reserved: 1, failed: 1},
		Dispatch: {placed: 1, reserved: 1, captured: 3, fulfilled: 2, failed: 1},
		Notify:   {placed: 1, reserved: 1, captured: 3, fulfilled: 2, failed: 1},
		Record:   {placed: 1, reserved: 1, captured: 3, fulfilled: 2, failed: 1},
		Complete: {placed: 1, reserved: 1, captured: 3, fulfilled: 3, failed: 1},
	}
	hybrid := map[Step]topics{
		"":       {reserved: 1, captured: 3, fulfilled: 3},
		Accept:   {},
		Reserve:  {},
		Charge:   {reserved: 1, failed: 1},
		Dispatch: {reserved: 1, captured: 3, fulfilled: 2, failed: 1},
		Notify:   {reserved: 1, captured: 3, fulfilled: 2, failed: 1},
		Record:   {reserved: 1, captured: 3, fulfilled: 2, failed: 1},
		Complete: {reserved: 1, captured: 3, fulfilled: 3, failed: 1},
	}
	for _, table := range Topologies() {
		for step := range kafka {
			var failing []Step
			if step != "" {
				failing = []Step{step}
			}
			for form, want := range map[Form]topics{REST: {}, GRPC: {}, Kafka: kafka[step], Hybrid: hybrid[step]} {
				if diff := cmp.Diff(want, table.Deliveries(form, failing...)); diff != "" {
					t.Errorf("%s %s with %q failing (-want +got):\n%s", table.Name, form, step, diff)
				}
				reports := want[failed] > 0
				if step != "" && table.ReportsFailure(form, step) != reports {
					t.Errorf("%s %s: ReportsFailure of %s is %v, want %v", table.Name, form, step, !reports, reports)
				}
			}
		}
	}
	two := OrderTopology().Deliveries(Kafka, Dispatch, Record)
	if diff := cmp.Diff(topics{placed: 1, reserved: 1, captured: 3, fulfilled: 1, failed: 2}, two); diff != "" {
		t.Errorf("kafka with two branches failing (-want +got):\n%s", diff)
	}
}

func TestEndsInCall(t *testing.T) {
	for form, want := range map[Form]bool{REST: true, GRPC: true, Kafka: false, Hybrid: false} {
		if got := OrderTopology().EndsInCall(form); got != want {
			t.Errorf("%s ends in the call: %v, want %v", form, got, want)
		}
	}
}

// TestTableIsWhole: what the code takes for granted about every row and cell.
func TestTableIsWhole(t *testing.T) {
	for _, table := range Topologies() {
		var before []Step
		for _, hop := range table.Hops {
			for _, after := range hop.After {
				if !slices.Contains(before, after) {
					t.Errorf("%s: %s stands before %s, which leads to it", table.Name, hop.Step, after)
				}
			}
			before = append(before, hop.Step)
			for _, form := range Forms() {
				switch by := hop.By[form]; {
				case !slices.Contains([]Carrier{HTTP, RPC, Message, Local}, by):
					t.Errorf("%s: %s has no carrier in %s, but %q", table.Name, hop.Step, form, by)
				case by == Message && hop.Topic == "":
					t.Errorf("%s: %s is a message in %s and has no topic", table.Name, hop.Step, form)
				}
			}
			if !slices.Contains(Names(), hop.Step.Service()) || hop.Step.Verb() == "" {
				t.Errorf("%s: %q is no step of a service", table.Name, hop.Step)
			}
		}
		if diff := cmp.Diff([]string{"order.failed", "order.fulfilled", "order.placed", "payment.captured", "stock.reserved"}, slices.Sorted(slices.Values(table.Topics()))); diff != "" {
			t.Errorf("%s: topics (-want +got):\n%s", table.Name, diff)
		}
	}
}
