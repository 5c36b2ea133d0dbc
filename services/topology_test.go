package services

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/flows"
)

func itoa(n int) string { return strconv.Itoa(n) }

// everyStep is what each order goes through, whatever carries it.
var everyStep = sorted(Accept, Reserve, Charge, Dispatch, Notify, Record, Complete)

func TestEveryFormRunsTheSameSteps(t *testing.T) {
	for name, run := range map[string]func(*testing.T, func(*testLab), ...func(*Config)){"virtual": inBubble, "loopback": onLoopback} {
		t.Run(name, func(t *testing.T) {
			run(t, func(l *testLab) {
				for _, form := range allForms() {
					for number := range 3 {
						checkSteps(l, Experiment{Run: "r", Form: form, Number: number, Seed: 1})
					}
				}
			})
		})
	}
}

// heardOf are the steps of a message form that orders hears of: its own, the calls it made, and the three branches.
var heardOf = map[Form][]Step{
	Kafka:      sorted(Accept, Dispatch, Notify, Record, Complete),
	"reply":    sorted(Accept, Dispatch, Notify, Record, Complete),
	"rabbitmq": sorted(Accept, Dispatch, Notify, Record, Complete),
	Hybrid:     sorted(Accept, Reserve, Dispatch, Notify, Record, Complete),
}

// checkSteps places an order and compares the spans of its steps, and what orders has heard of it, with everyStep.
func checkSteps(l *testLab, e Experiment) {
	l.Helper()
	name := fmt.Sprintf("%s %d", e.Form, e.Number)
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
	heard, byMessage := heardOf[e.Form]
	if !byMessage {
		heard = everyStep
	}
	if diff := cmp.Diff(heard, sorted(state.Steps...)); diff != "" {
		l.Errorf("%s: steps that orders has heard of (-want +got):\n%s", name, diff)
	}
}

// TestWhoCallsWhom: orders calls everybody; where calls nest, each callee carries on.
func TestWhoCallsWhom(t *testing.T) {
	chained := map[Step]string{Accept: Gateway, Reserve: Orders, Charge: Inventory, Dispatch: Payment, Notify: Payment, Record: Payment}
	flat := map[Step]string{Accept: Gateway, Reserve: Orders, Charge: Orders, Dispatch: Orders, Notify: Orders, Record: Orders}
	inBubble(t, func(l *testLab) {
		for form, want := range map[Form]map[Step]string{REST: flat, GRPC: flat, Chained: chained} {
			e := Experiment{Run: "r", Form: form}
			a := l.place(e, tea)
			if a.status != 201 {
				t.Fatalf("%s: answered %d %s", form, a.status, a.body)
			}
			got := map[Step]string{}
			for step, spans := range l.stepSpans(e) {
				if step != Complete { // local: nobody calls
					got[step] = l.caller(spans[0])
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: callers (-want +got):\n%s", form, diff)
			}
		}
	})
}

// caller is the service whose CLIENT span caused the SERVER span above a step.
func (l *testLab) caller(step sdktrace.ReadOnlySpan) string {
	l.Helper()
	byID := map[trace.SpanID]sdktrace.ReadOnlySpan{}
	for _, span := range l.ended() {
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
		Orders: {"order.failed", "order.fulfilled"}, Inventory: {"order.failed", "order.placed"}, Payment: {"stock.reserved"},
		Shipping: {"payment.captured"}, Notification: {"payment.captured"}, Analytics: {"payment.captured"},
	}
	inBubble(t, func(l *testLab) {
		got := map[string][]string{}
		for _, n := range l.system.nodes {
			if topics := slices.Sorted(slices.Values(n.flow.Consumes(n.name, flows.KafkaLog))); len(topics) > 0 {
				got[n.name] = topics
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("consumers (-want +got):\n%s", diff)
		}
	})
}

// TestReached has the steps that are reached when one fails, by hand.
func TestReached(t *testing.T) {
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
		for _, form := range allForms() {
			if diff := cmp.Diff(c.want, planFor(form).Reached(c.failed...)); diff != "" {
				t.Errorf("%s without %v (-want +got):\n%s", form, c.failed, diff)
			}
		}
	}
}

// The messages of the table, by hand, for each form and failing step. A failure is told to orders, and to inventory, which releases the stock.
func TestDeliveries(t *testing.T) {
	type topics = map[string]int
	placed, reserved, captured, fulfilled, failed := "order.placed", "stock.reserved", "payment.captured", "order.fulfilled", "order.failed"
	kafka := map[Step]topics{
		"":       {placed: 1, reserved: 1, captured: 3, fulfilled: 3},
		Accept:   {},
		Reserve:  {placed: 1, failed: 2},
		Charge:   {placed: 1, reserved: 1, failed: 2},
		Dispatch: {placed: 1, reserved: 1, captured: 3, fulfilled: 2, failed: 2},
		Notify:   {placed: 1, reserved: 1, captured: 3, fulfilled: 2, failed: 2},
		Record:   {placed: 1, reserved: 1, captured: 3, fulfilled: 2, failed: 2},
		Complete: {placed: 1, reserved: 1, captured: 3, fulfilled: 3, failed: 2},
	}
	hybrid := map[Step]topics{
		"":       {reserved: 1, captured: 3, fulfilled: 3},
		Accept:   {},
		Reserve:  {},
		Charge:   {reserved: 1, failed: 2},
		Dispatch: {reserved: 1, captured: 3, fulfilled: 2, failed: 2},
		Notify:   {reserved: 1, captured: 3, fulfilled: 2, failed: 2},
		Record:   {reserved: 1, captured: 3, fulfilled: 2, failed: 2},
		Complete: {reserved: 1, captured: 3, fulfilled: 3, failed: 2},
	}
	for step := range kafka {
		var failing []Step
		if step != "" {
			failing = []Step{step}
		}
		for form, want := range map[Form]topics{REST: {}, GRPC: {}, Chained: {}, Kafka: kafka[step], Hybrid: hybrid[step]} {
			if diff := cmp.Diff(want, planFor(form).Deliveries(failing...)); diff != "" {
				t.Errorf("%s with %q failing (-want +got):\n%s", form, step, diff)
			}
			reports := want[failed] > 0
			if step != "" && planFor(form).ReportsFailure(step) != reports {
				t.Errorf("%s: ReportsFailure of %s is %v, want %v", form, step, !reports, reports)
			}
		}
	}
	two := planFor(Kafka).Deliveries(Dispatch, Record)
	if diff := cmp.Diff(topics{placed: 1, reserved: 1, captured: 3, fulfilled: 1, failed: 4}, two); diff != "" {
		t.Errorf("kafka with two branches failing (-want +got):\n%s", diff)
	}
}
