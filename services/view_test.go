package services

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// TestAViewIsAsStaleAsItsUpdates: an update that comes twice, or late, changes nothing; a read before an update that had been committed has missed
// it; and before the first update of each service there is nothing to read.
func TestAViewIsAsStaleAsItsUpdates(t *testing.T) {
	provider, err := telemetry.Config{Propagator: Propagator(nil)}.New("pages")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Unix(1000, 0)
	now := start
	v := &view{from: []string{"posts", "friends"}, node: &node{telemetry: provider}, now: func() time.Time { return now }, entries: map[string]time.Time{},
		delays: noop.Float64Histogram{}, ages: noop.Float64Histogram{}}
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	apply := func(ms int, service string, committed int) {
		now = at(ms)
		if err := v.apply(t.Context(), &orderpb.Event{Order: &orderpb.Order{Id: "x", Body: map[string]string{
			"service": service, "committed": strconv.FormatInt(at(committed).UnixNano(), 10)}}}); err != nil {
			t.Error(err)
		}
	}
	read := func(ms int) error {
		now = at(ms)
		return v.read(t.Context(), Experiment{Run: "r"})
	}
	apply(5, "posts", 1)
	var failed *carrier.Failed
	if err := read(6); !errors.As(err, &failed) || failed.Reason() != carrier.Unavailable || !slices.Equal(v.missing(), []string{"first update of the view by friends"}) {
		t.Errorf("a view without friends: %v, waits for %v", err, v.missing())
	}
	apply(8, "friends", 2)
	for _, ms := range []int{10, 25} { // the second one while an update is on its way
		if err := read(ms); err != nil {
			t.Error(err)
		}
	}
	apply(30, "posts", 20)
	apply(31, "posts", 20) // again
	apply(32, "posts", 15) // late
	if err := read(33); err != nil {
		t.Error(err)
	}
	if err := v.apply(t.Context(), &orderpb.Event{Order: &orderpb.Order{Id: "x", Body: map[string]string{"service": "strangers", "committed": "1"}}}); err == nil {
		t.Error("an update of nobody's was taken")
	}
	s := v.staleness("r")
	if ms := int64(time.Millisecond); !slices.Equal(s.Ages, []int64{8 * ms, 23 * ms, 13 * ms}) || !slices.Equal(s.Delays, []int64{10 * ms}) || s.Missed != 1 || len(v.missing()) != 0 {
		t.Errorf("%+v: want ages 8, 23 and 13 ms, one update visible after 10 ms since the first read, and one read that missed it", s)
	}
	if other := v.staleness("other"); len(other.Ages)+len(other.Delays) != 0 {
		t.Errorf("a run that has read nothing: %+v", other)
	}
}
