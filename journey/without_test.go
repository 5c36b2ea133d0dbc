package journey_test

import (
	"fmt"
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

func TestWithout(t *testing.T) {
	const drawing = `web.S SERVER 0-60
	  web.stream CLIENT 20-600
	    flag.stream SERVER 21-600
	  web.P PRODUCER 30-40
	    bill.H CONSUMER 50-90 op=process
	    flag.tail CONSUMER 700-800 op=process link=flag.stream`
	tests := []struct {
		why, selector string
		want          string
	}{
		{"by service and name", "web/web.stream", "spans 4 completion 800ms left out 2"},
		{"by service: all of its spans", "flag", "spans 4 completion 600ms left out 2"},
		{"what something else caused, too, stays", "web/web.P", "spans 3 completion 600ms left out 3"},
		{"nothing of that name", "web/other", "spans 6 completion 800ms left out 0"},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			spans, err := draw.Spans(drawing)
			if err != nil {
				t.Fatal(err)
			}
			x, err := journey.ParseSelector(c.selector)
			if err != nil || x.String() != c.selector {
				t.Fatalf("%q reads as %q, %v", c.selector, x, err)
			}
			set := journey.NewSet(spans, journey.Without(x))
			list := set.Journeys()
			if len(list) != 1 {
				t.Fatalf("%d journeys", len(list))
			}
			got := fmt.Sprintf("spans %d completion %s left out %d", list[0].Len(), list[0].Completion(), set.LeftOut())
			if got != c.want || len(list[0].Unreached()) > 0 {
				t.Errorf("%s and %d unreached, want %s", got, len(list[0].Unreached()), c.want)
			}
		})
	}
	if _, err := journey.ParseSelector("/x"); err == nil {
		t.Error("a selector without a service is no error")
	}
}

// A batch of two messages of which one is left out goes on with the other, and so does all below it.
func TestWithoutOneOfTwoCauses(t *testing.T) {
	spans, err := draw.Spans("web.S SERVER 0-60\n  web.A PRODUCER 10-12\n  web.B PRODUCER 20-22\nbill.H CONSUMER 30-90 op=process link=web.A link=web.B trace=2\n  bill.db CLIENT 40-80")
	if err != nil {
		t.Fatal(err)
	}
	set := journey.NewSet(spans, journey.Without(journey.Selector{Service: "web", Name: "web.A"}))
	if j := rootedAt(set, 0); j.Len() != 4 || len(j.Unreached()) > 0 || set.LeftOut() != 1 {
		t.Errorf("%d spans, %d unreached, %d left out; want 4, 0, 1", j.Len(), len(j.Unreached()), set.LeftOut())
	}
}
