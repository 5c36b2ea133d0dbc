package lab_test

import (
	"strings"
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/services/flows"
)

// TestInstancesThatCannotBe are refused before anything starts, with the way out.
func TestInstancesThatCannotBe(t *testing.T) {
	for want, c := range map[string]lab.Config{
		"no service \"paymnt\"":    {Instances: map[string]int{"paymnt": 2}},
		"use 1 to 64":              {Instances: map[string]int{"payment": 0}},
		"share a PostgreSQL":       {Instances: map[string]int{"orders": 2}},
		"one address of it":        {Instances: map[string]int{"gateway": 2}},
		"--instances payment=N":    {Events: []lab.Event{{At: 1, Do: "kill", Part: "payment/2"}}},
		"payment/2 is down":        {Instances: map[string]int{"payment": 2}, Events: []lab.Event{{At: 1, Do: "kill", Part: "payment"}, {At: 2, Do: "kill", Part: "payment/2"}}},
		"payment runs by then":     {Instances: map[string]int{"payment": 2}, Events: []lab.Event{{At: 1, Do: "start", Part: "payment"}}},
		"partitions 257: use a nu": {Partitions: 257},
	} {
		c.Out = t.TempDir()
		if _, err := lab.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %s", err, want)
		}
	}
	if e, err := lab.ParseEvent(flows.Order(), "2s:kill:payment/2"); err != nil || e.Part != "payment/2" || e.At != 2*time.Second {
		t.Errorf("%v %v", e, err)
	}
}
