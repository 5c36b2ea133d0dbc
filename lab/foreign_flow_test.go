package lab_test

import (
	"strings"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// ownFlow is the flow sorting, which the code has never seen.
func ownFlow(t *testing.T) *flows.Flow {
	t.Helper()
	f, err := flows.Parse("sorting.yaml", []byte(sorting))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestEventsOfAnyFlow: a service that no code names is killed and started again. Messages wait for it and none is lost, calls fail, and the report
// explains both by the event.
func TestEventsOfAnyFlow(t *testing.T) {
	testkit.Unraced(t, "TestKilledServiceIsExplained")
	t.Parallel() // in virtual time
	f := ownFlow(t)
	disturbed(t, []services.Form{"calls", "messages"}, nil, func(t *testing.T, result *lab.Result) {
		healthy(t, result)
		if a := result.Forms["messages"].Orders; a.Completed != a.Placed {
			t.Errorf("messages: %+v, want all completed", a)
		}
		if a := result.Forms["calls"].Orders; a.Errors == 0 || a.Completed == 0 {
			t.Errorf("calls: %+v, want some that failed and some that completed", a)
		}
		if explained := strings.Join(result.Explained, "\n"); !strings.Contains(explained, "event 1s:kill:scale") {
			t.Errorf("explained: %s", explained)
		}
	}, func(c *lab.Config) { c.Flow, c.Events = f, events(t, f, "1s:kill:scale", "2s:start:scale") })
}

// TestLinksOfAnyFlow between services that no code names, and to the broker. On real sockets: the proxies have no others.
func TestLinksOfAnyFlow(t *testing.T) {
	t.Parallel() // most of it is waiting
	f := ownFlow(t)
	result := reallyRun(t, func(c *lab.Config) {
		c.Flow, c.Orders, c.WarmUp, c.Forms = f, 6, 0, []services.Form{"calls", "messages"}
		for _, text := range []string{"desk>archive:latency=60ms", "archive>kafka:latency=50ms"} {
			link, err := lab.ParseLink(f, text)
			if err != nil {
				t.Fatal(err)
			}
			c.Links = append(c.Links, link)
		}
	})
	healthy(t, result)
	for form, least := range map[services.Form]float64{"calls": 120, "messages": 100} {
		if r := result.Forms[form]; r.Orders.Completed != 6 || r.Completion.Median == nil || *r.Completion.Median < least {
			t.Errorf("%s: %+v, completion %v ms, want all completed, in %g ms or more", form, r.Orders, r.Completion.Median, least)
		}
	}
	for _, l := range result.LinksUsed {
		if l.Connections == 0 || l.Bytes == 0 {
			t.Errorf("%+v", l)
		}
	}
}
