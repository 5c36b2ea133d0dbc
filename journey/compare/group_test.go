package compare_test

import (
	"fmt"
	"strings"
	"testing"

	"tracelab/journey/compare"
)

// group makes journeys of orders numbered from first: each with a caller wait, and a message handled wait later for work.
func group(t *testing.T, name string, first int, waits ...float64) compare.Group {
	t.Helper()
	var b strings.Builder
	for i, wait := range waits {
		fmt.Fprintf(&b, "S SERVER 0-%v trace=%d order.number=%d id=%016x service=S\n", wait, i+1, first+i, 1000+i)
		fmt.Fprintf(&b, "P%d PRODUCER 0-1 parent=S%d\n", i, i)
		fmt.Fprintf(&b, "C CONSUMER 5-%v link=P%d trace=%d\n", wait+20, i, 1000+i)
	}
	drawing := b.String()
	for i := range waits { // every root needs a name of its own to be a parent
		drawing = strings.Replace(drawing, "S SERVER", fmt.Sprintf("S/%d SERVER", i), 1)
		drawing = strings.Replace(drawing, fmt.Sprintf("parent=S%d\n", i), fmt.Sprintf("parent=S/%d trace=%d\n", i, i+1), 1)
	}
	return compare.Group{Name: name, Journeys: newSet(t, drawing).Journeys()}
}

func TestCompareGroups(t *testing.T) {
	base := group(t, "grpc", 1, 50, 60, 70, 80, 90, 100, 110)
	other := group(t, "kafka", 1, 49, 58, 67, 76, 85, 94, 103)
	tests := []struct {
		why     string
		other   compare.Group
		key     compare.PairKey
		want    []string
		warning string
	}{
		{"pair by pair: small differences show in a wide spread", other, compare.ByAttribute("order.number"),
			[]string{"caller_wait_ms true 7 -4 less", "completion_ms true 7 -4 less", "tail_ms true 7 0 ~", "queue_wait_ms true 7 0 ~"}, ""},
		{"as a whole: the same differences do not", other, nil,
			[]string{"caller_wait_ms false 7 -4 ~", "completion_ms false 7 -4 ~", "tail_ms false 7 0 ~", "queue_wait_ms false 7 0 ~"}, ""},
		{"without a key: as a whole", other, compare.ByAttribute("no.such"),
			[]string{"caller_wait_ms false 7 -4 ~", "completion_ms false 7 -4 ~", "tail_ms false 7 0 ~", "queue_wait_ms false 7 0 ~"}, ""},
		{"some without a counterpart are left out, and said so", group(t, "kafka", 2, 58, 67, 76, 85, 94, 103), compare.ByAttribute("order.number"),
			[]string{"caller_wait_ms true 6 -4.5 less", "completion_ms true 6 -4.5 less", "tail_ms true 6 0 ~", "queue_wait_ms true 6 0 ~"}, "1 journey has no counterpart, and is in no difference"},
		{"a key that occurs twice pairs nothing", compare.Group{Name: "twice", Journeys: append(other.Journeys, other.Journeys[0])}, compare.ByAttribute("order.number"),
			[]string{"caller_wait_ms false 7 -8.5 ~", "completion_ms false 7 -8.5 ~", "tail_ms false 7 0 ~", "queue_wait_ms false 7 0 ~"}, "a key occurs twice"},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			got := compare.Groups([]compare.Group{base, c.other}, compare.WithPairs(c.key))
			var list []string
			for _, d := range got.Differences {
				if d.Base != "grpc" || d.Other != c.other.Name {
					t.Errorf("difference of %s against %s", d.Other, d.Base)
				}
				list = append(list, fmt.Sprintf("%s %v %d %v %s", d.Measure, d.Paired, d.N, *d.Delta, d.Verdict))
			}
			equalLines(t, "differences", list, c.want)
			if warnings := strings.Join(got.Warnings, "\n"); (c.warning == "") != (warnings == "") || !strings.Contains(warnings, c.warning) {
				t.Errorf("warnings %q, want %q", warnings, c.warning)
			}
		})
	}
}

func TestDescribeGroup(t *testing.T) {
	s := compare.Describe(group(t, "kafka", 1, 50, 60, 70))
	if s.Journeys != 3 || s.Spans != 9 || *s.Of(compare.CallerWait).Median != 60 || *s.Of(compare.Completion).Median != 80 || *s.Of(compare.Tail).Median != 20 || *s.Of(compare.QueueWait).Median != 4 {
		t.Errorf("%+v: caller wait %v, completion %v, tail %v, queue wait %v", s, *s.Of(compare.CallerWait).Median, *s.Of(compare.Completion).Median, *s.Of(compare.Tail).Median, *s.Of(compare.QueueWait).Median)
	}
	calls := compare.Describe(compare.Group{Name: "rest", Journeys: newSet(t, "S 0-10\n  A 1-2").Journeys()})
	if calls.Of(compare.QueueWait) != nil || calls.Of(compare.CallerWait) == nil {
		t.Errorf("without messages: queue wait %v, caller wait %v", calls.Of(compare.QueueWait), calls.Of(compare.CallerWait))
	}
	batch := compare.Describe(compare.Group{Journeys: newSet(t, "S 0-10\n  P PRODUCER 1-2\nT 0-10 trace=2\n  Q PRODUCER 1-2\nW CONSUMER 5-9 link=P link=Q trace=3").Journeys()})
	if batch.Journeys != 2 || batch.Spans != 5 {
		t.Errorf("%d journeys of %d spans, want 2 of 5: the batch's span counts once", batch.Journeys, batch.Spans)
	}
}

// The mean of a journey's messages is its queue wait, and negative ones count as they are.
func TestQueueWaitOfAJourney(t *testing.T) {
	j := newSet(t, "S 0-10\n  P PRODUCER 1-5\n    C CONSUMER 3-9\n    D CONSUMER 13-19 op=process group=d").Journeys()
	if s := compare.Describe(compare.Group{Journeys: j}); *s.Of(compare.QueueWait).Median != 3 {
		t.Errorf("queue wait %v, want the mean of -2 and 8", *s.Of(compare.QueueWait).Median)
	}
}
