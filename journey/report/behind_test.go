package report_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey"
	"tracelab/journey/report"
)

// TestBehind: what came in another trace, and below a parent that does not exist, in the order of time; what a link leads to is of the journey itself.
func TestBehind(t *testing.T) {
	list := journeys(t, `
client CLIENT 0-50
  orders SERVER 5-45
    orders.send PRODUCER 10-20 op=send topic=t
linked.process CONSUMER 30-40 op=process topic=t link=orders.send trace=3
late.process CONSUMER 70-80 op=process topic=u trace=2
  late.work 71-79
lost.handle SERVER 60-65 parent=?
`)
	k := slices.IndexFunc(list, func(j *journey.Journey) bool { return j.Set().Span(report.FirstSpan(j)).Name == "client" })
	first := list[k]
	var got []string
	for _, j := range report.Behind(first) {
		got = append(got, j.Set().Span(report.FirstSpan(j)).Name)
	}
	if diff := cmp.Diff([]string{"lost.handle", "late.process"}, got); diff != "" || first.Len() != 4 {
		t.Errorf("of %d spans (-want +got):\n%s", first.Len(), diff)
	}
}
