package lab

import (
	"testing"

	"tracelab/lab/rundir"
	"tracelab/services"
)

// TestUnitsThatAreForgottenStayInTheSums: a lab remembers a limited number of units. One whose client was told nothing, and which was accepted, is counted
// as accepted, whether or not anybody has read that before it was forgotten. One whose client still waits is not forgotten.
func TestUnitsThatAreForgottenStayInTheSums(t *testing.T) {
	const units, limit = 40, 5
	form := services.Kafka
	s := newLiveSums([]services.Form{form}, limit)
	answer := func(number, status int, id string) {
		s.answered(order{Order: rundir.Order{Form: string(form), Number: number, Status: status, ID: id}})
	}
	for number := range units {
		s.placing(orderKey{form, number})
		switch {
		case number == 0: // its client waits until the end
		case number%4 == 0:
			answer(number, 0, "") // accepted all the same
		case number%4 == 1:
			answer(number, 503, "") // accepted before the gateway gave up
		case number%4 == 2:
			answer(number, 503, "")
		default:
			answer(number, 202, "id")
		}
	}
	s.know(services.State{Form: form, Number: 0, Status: services.Completed})
	answer(0, 202, "id")
	for number := units - limit; number < units; number++ { // those that are still remembered are read
		if number%4 != 2 {
			s.know(services.State{Form: form, Number: number, Status: services.Completed})
		}
	}
	accepted := units - units/4
	s.read(services.Summary{Forms: map[services.Form]services.Accounts{form: {Accepted: accepted, Completed: accepted}}}, s.knownUnits())
	a := s.forms[form].accounts()
	if wrong := a.Imbalances(); len(wrong) > 0 || a.Placed != units || a.Unknown != 0 || a.Refused != units/4 {
		t.Errorf("%+v: %q", a, wrong)
	}
	if unknown, refused := s.forms[form].unread(); unknown == 0 || refused == 0 {
		t.Errorf("%d without an answer and %d with an error are said to be accepted", unknown, refused)
	}
	if len(s.told) != limit || len(s.byAge) != limit {
		t.Errorf("%d units are remembered, want %d", len(s.told), limit)
	}
}

// TestUnitsThatTheServiceForgotStayInTheSums: the service of the entry step remembers a limited number of final units. One that it forgot before anybody
// read its state is counted as accepted; one that it counts too many, though it forgot none, is not hidden.
func TestUnitsThatTheServiceForgotStayInTheSums(t *testing.T) {
	const units, accepted, read = 40, 30, 10
	form := services.REST
	for forgotten, balances := range map[int]bool{accepted - read: true, 0: false} {
		s := newLiveSums([]services.Form{form}, 2*units)
		for number := range units {
			s.placing(orderKey{form, number})
			s.answered(order{Order: rundir.Order{Form: string(form), Number: number}}) // no answer
		}
		for number := range read {
			s.know(services.State{Form: form, Number: number, Status: services.Completed})
		}
		s.read(services.Summary{Forms: map[services.Form]services.Accounts{form: {Accepted: accepted, Completed: accepted, Forgotten: forgotten}}}, s.knownUnits())
		a := s.forms[form].accounts()
		if wrong := a.Imbalances(); (len(wrong) == 0) != balances || balances && a.Unknown != units-accepted {
			t.Errorf("%d forgotten by the service: %+v %q", forgotten, a, wrong)
		}
	}
}

// TestAUnitWhoseCallWasCutOffIsUnknownWhenItsServiceForgot: as in a run. One for which nobody could be reached was refused whatever was forgotten, and one
// that was cut off by the instance that still answers is refused, too.
func TestAUnitWhoseCallWasCutOffIsUnknownWhenItsServiceForgot(t *testing.T) {
	form := services.GRPC
	s := newLiveSums([]services.Form{form}, 10)
	s.restarted(services.OrdersInstance{Instance: "a"})
	refuse := func(number int, reason string) {
		s.answered(order{Order: rundir.Order{Form: string(form), Number: number, Status: 503, Error: reason}})
	}
	check := func(refused, unknown int) {
		t.Helper()
		if a := s.forms[form].accounts(); a.Refused != refused || a.Unknown != unknown {
			t.Errorf("%d refused, %d unknown, want %d and %d", a.Refused, a.Unknown, refused, unknown)
		}
	}
	for number, reason := range []string{"unavailable", "unreachable", "timeout", "full", ""} {
		s.placing(orderKey{form, number})
		if reason != "" { // the last one's answer comes later
			refuse(number, reason)
		}
	}
	s.know(services.State{Form: form, Number: 2, Status: services.Completed}) // though its call had timed out
	check(3, 0)
	s.restarted(services.OrdersInstance{Instance: "b"})
	check(2, 1)
	refuse(4, "unavailable")
	check(2, 2)
	s.placing(orderKey{form, 5})
	refuse(5, "unavailable")
	check(3, 2)
	s.know(services.State{Form: form, Number: 4, Status: services.Completed}) // the new instance had it
	check(3, 1)
}
