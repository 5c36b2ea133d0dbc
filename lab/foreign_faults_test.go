package lab_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/otelamqp/amqptest"
	"tracelab/services"
	misbehavior "tracelab/services/faults"
	"tracelab/services/flows"
)

// harbor is a flow that the code has never seen, in forms over every carrier. What one fault does to a unit hides no other: behind a service that harms what
// it sends there is a step, and behind a step that fails there is none.
const harbor = `flow: harbor
unit: box
body: {owner: text 1..10}
steps:
  quay.Dock: {wait: 1ms}
  crane.Lift: {after: quay.Dock, message: box.docked, wait: 1ms}
  deck.Stow: {after: crane.Lift, message: box.lifted, wait: 1ms}
  lorry.Load: {after: quay.Dock, message: box.landed, wait: 1ms}
  road.Drive: {after: lorry.Load, message: box.loaded, wait: 1ms}
  agent.Ask: {after: quay.Dock, message: box.declared, wait: 1ms}
  stamp.Press: {after: agent.Ask, message: box.asked, wait: 1ms}
  gate.Open: {after: quay.Dock, message: box.awaited, wait: 1ms}
  bell.Ring: {after: quay.Dock, message: box.heard, wait: 1ms}
forms:
  called: {each: http}
  nested: {each: grpc, plan: callee}
  held: {each: grpc, answer: after quay.Dock}
  sent: {each: kafka, quay.Dock: grpc}
  asked: {each: kafka, quay.Dock: grpc, answer: done}
  crated: {each: kafka, quay.Dock: grpc, bell.Ring: "kafka in batches of 5, 20ms"}
  posted: {each: rabbitmq, quay.Dock: grpc, stamp.Press: grpc}
`

// harm is every kind of fault. A message cannot carry two parents over RabbitMQ, so there stamp is called.
var harm = []string{
	"quay:delay=2ms@0.5", "crane:duplicate@0.5", "crane:reorder=20ms@0.3", "crane:poison@0.3", "lorry:drop-context@0.5", "lorry:unsample@0.5",
	"agent:double-traceparent@0.5", "agent:drop-baggage@0.5", "road:hang=5ms@0.2", "bell:error=wet@0.2",
	"deck:crash=before-work@0.2", "deck:crash=after-work@0.2", "gate:crash=after-store@0.2", "gate:crash=before-commit@0.2",
}

// TestEveryKindOfFaultOnAnyFlow lets all kinds act in one run of a flow that no code names: each fires as drawn, in each form that it can act on, and
// the sums hold.
func TestEveryKindOfFaultOnAnyFlow(t *testing.T) {
	testkit.Unraced(t, "TestAccountsBalanceWithEachFault")
	t.Parallel() // in virtual time
	flow, err := flows.Parse("harbor.yaml", []byte(harbor))
	if err != nil {
		t.Fatal(err)
	}
	var list []misbehavior.Fault
	for _, text := range harm {
		f, err := services.ParseFault(flow, text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	everyKind(t, list)
	broker, store := &amqptest.Broker{}, filepath.Join(t.TempDir(), "store") // a crash forgets what is in memory
	virtually(t, func(c *lab.Config) {
		listener, err := c.Network.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		broker.Serve(listener)
		c.RabbitMQ = []string{listener.Addr().String()}
		c.Flow, c.Forms, c.Faults, c.Store, c.Orders, c.Rate, c.Timeout, c.Deadline = flow, flow.Forms(), list, store, 6, 70, 2*time.Second, 3*time.Second
	}, func(t *testing.T, result *lab.Result) {
		broker.Close()
		healthy(t, result)
		if len(result.Forms) != 7 {
			t.Errorf("%d forms, want all of the flow", len(result.Forms))
		}
		for form, f := range result.Forms {
			a := f.Orders
			if a.Placed != 6 || a.Placed != a.Accepted+a.Refused+a.Unknown+a.Lost || a.Accepted != a.Completed+a.Failed+a.Pending || a.Pending+f.Effects.Twice > 0 {
				t.Errorf("%s: the sums do not hold, or something is done twice: %+v, %+v", form, a, f.Effects)
			}
			for i, fired := range f.Faulted.Fired {
				t.Logf("%-7s %-30s %s", form, fired.Fault, fired)
				if can, must := mayFire(form, list[i]); !can && fired.Fired > 0 || must && fired.Fired == 0 {
					t.Errorf("%s: fault %s fired %s; it can: %v, and must: %v", form, fired.Fault, fired, can, must)
				}
			}
		}
	})
}

// mayFire tells whether a fault has a place in a form: no message is sent where all are calls, and where the entry makes all calls, nobody else sends. Where
// it has one it must fire, unless it is a call that what fails beside it may cut off: what hits half of the units hits some that nothing fails.
func mayFire(form services.Form, f misbehavior.Fault) (can, must bool) {
	switch form {
	case "called", "held":
		can = f.ActsOnSteps()
	case "nested":
		can = !f.ActsOnMessages()
	default:
		return true, true
	}
	return can, can && f.Share == 0.5
}

// everyKind holds a list of faults to all kinds that there are, and to all points of a crash.
func everyKind(t *testing.T, list []misbehavior.Fault) {
	t.Helper()
	for _, usage := range misbehavior.Kinds() {
		kind := strings.FieldsFunc(usage, func(r rune) bool { return strings.ContainsRune("=[:", r) })[0]
		if !slices.ContainsFunc(list, func(f misbehavior.Fault) bool { return f.Kind == kind }) {
			t.Errorf("no fault of the kind %s", kind)
		}
	}
	for _, point := range misbehavior.CrashPoints() {
		if !slices.ContainsFunc(list, func(f misbehavior.Fault) bool { return f.CrashesAt(point) }) {
			t.Errorf("no crash %s", point)
		}
	}
}
