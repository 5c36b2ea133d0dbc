package experiments

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/experiments/verdict"
	"tracelab/services"
	"tracelab/services/flows"
)

func TestCoupling(t *testing.T) {
	r := judged(t, coupling(), smaller{16, 1}, smaller{10, 1})
	for _, form := range couplingForms() {
		r.near(t, string(form), coupledTo, 0)
	}
	r.log(t)
}

func TestAnswerNeeds(t *testing.T) {
	for form, want := range map[services.Form][]string{
		services.GRPC:   {"gateway", "orders", "inventory", "payment", "shipping", "notification", "analytics"},
		services.Hybrid: {"gateway", "orders", "inventory"},
		services.Kafka:  {"gateway", "orders"},
		"ack":           {"gateway", "orders"},
		"reply":         {"gateway", "orders", "inventory", "payment", "shipping", "notification", "analytics"},
	} {
		got, err := answerNeeds(flows.Order(), form)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", form, err, diff)
		}
	}
}

func TestCouplingDecides(t *testing.T) {
	for _, c := range []struct {
		name        string
		grpc, kafka int // client errors of 252: 36 without each of 7 services
		want        verdict.Word
	}{
		{"all of grpc's, two services of kafka's", 252, 72, verdict.Holds},
		{"two services fewer", 252, 180, verdict.Holds},
		{"one service fewer", 252, 216, verdict.NotShown},
		{"the same", 252, 252, verdict.DoesNotHold},
		{"kafka's are more", 72, 252, verdict.DoesNotHold},
	} {
		var f Figures
		f.Count("grpc", anyErrors, c.grpc, 252)
		f.Count("kafka", anyErrors, c.kafka, 252)
		f.Count("ack", anyErrors, 72, 252)
		f.Count("hybrid", anyErrors, 108, 252)
		if got := decided(t, coupling(), f); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
