package services

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	if diff := cmp.Diff(everyStep, l.steps(e)); diff != "" {
		l.Errorf("%s: steps with a span (-want +got):\n%s", name, diff)
	}
	heard := everyStep
	if table, _ := TopologyNamed(e.Topology); !table.EndsInCall(e.Form) {
		heard = heardOf[e.Form]
	}
	if diff := cmp.Diff(heard, sorted(state.Steps...)); diff != "" {
		l.Errorf("%s: steps that orders has heard of (-want +got):\n%s", name, diff)
	}
}

// heardOf are the steps of a message form that orders hears of: its own, the calls it made, and the three branches.
var heardOf = map[Form][]Step{
	Kafka:  sorted(Accept, Dispatch, Notify, Record, Complete),
	Hybrid: sorted(Accept, Reserve, Dispatch, Notify, Record, Complete),
}
