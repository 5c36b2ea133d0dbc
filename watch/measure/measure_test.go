package measure

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"tracelab/journey"
	"tracelab/watch/summary"
)

func newMeter(t *testing.T, config Config) (*Meter, *sdkmetric.ManualReader) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	m, err := New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), config)
	if err != nil {
		t.Fatal(err)
	}
	return m, reader
}

// collect returns the counters by name and attributes, and the histograms by name.
func collect(t *testing.T, reader *sdkmetric.ManualReader) (map[string]float64, map[string]metricdata.Histogram[float64]) {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	sums, histograms := map[string]float64{}, map[string]metricdata.Histogram[float64]{}
	for _, scope := range data.ScopeMetrics {
		for _, x := range scope.Metrics {
			switch d := x.Data.(type) {
			case metricdata.Sum[float64]:
				for _, p := range d.DataPoints {
					key := x.Name
					for _, a := range p.Attributes.ToSlice() {
						key += " " + a.Value.String()
					}
					sums[key] = p.Value
				}
			case metricdata.Histogram[float64]:
				histograms[x.Name] = d
			}
		}
	}
	return sums, histograms
}

func kept(n int, root string) *summary.Summary {
	var trace journey.TraceID
	binary.BigEndian.PutUint64(trace[8:], uint64(n)+1)
	return &summary.Summary{
		Root:    summary.Root{Trace: trace.String(), Span: "00000000000000ab", Service: "gateway", Name: root},
		Outcome: summary.OK, CallerWait: new(10 * time.Millisecond), Completion: new(60 * time.Millisecond), Tail: new(50 * time.Millisecond), QueueWait: new(26 * time.Millisecond),
		Queues: []summary.Queue{{Topic: "orders", Group: "payment", Deliveries: 2, Waits: []time.Duration{-time.Millisecond, 26 * time.Millisecond}}},
		Steps:  []summary.Step{{Service: "payment", Name: "process orders", Work: 30 * time.Millisecond, Wait: 26 * time.Millisecond}},
		Rest:   &summary.Rest{Steps: 1, Work: 4 * time.Millisecond},
		Lint:   map[journey.RuleID]int{"M10": 2},
	}
}

// TestACollectionWithAFirstZeroIsNotWhole: it has not all that was counted. The next one has.
func TestACollectionWithAFirstZeroIsNotWhole(t *testing.T) {
	m, reader := newMeter(t, Config{})
	var whole []bool
	m.OnCollect(func(all bool) { whole = append(whole, all) })
	collect(t, reader)
	m.Count(0, kept(0, "POST /orders"))
	collect(t, reader)
	collect(t, reader)
	m.Count(0, kept(1, "POST /orders"))
	collect(t, reader)
	if want := []bool{true, false, true, true}; !slices.Equal(whole, want) {
		t.Errorf("whole: %v, want %v", whole, want)
	}
}

func TestNewSeriesBeginAtZero(t *testing.T) {
	m, reader := newMeter(t, Config{})
	s := kept(0, "POST /orders")
	s.Outcome, s.Reason = summary.Incomplete, "what it links to is missing (P04)"
	m.Count(0, s)
	failed := kept(1, "POST /orders")
	failed.Outcome, failed.Silent = summary.Error, true
	m.Count(0, failed)
	first, _ := collect(t, reader)
	for key, v := range first {
		if v != 0 {
			t.Errorf("%s begins at %v", key, v)
		}
	}
	sums, _ := collect(t, reader)
	for key, want := range map[string]float64{
		"tracelab.journey.judged ok gateway POST /orders":                             0,
		"tracelab.journey.judged error gateway POST /orders":                          1,
		"tracelab.journey.judged incomplete gateway POST /orders":                     1,
		"tracelab.journey.silent gateway POST /orders":                                1,
		"tracelab.journey.incomplete P04 gateway POST /orders":                        1,
		"tracelab.journey.incomplete watcher gateway POST /orders":                    0,
		"tracelab.journey.findings M10":                                               4,
		"tracelab.journey.path.time gateway POST /orders wait payment process orders": 0.052,
		"tracelab.journey.path.time gateway POST /orders work payment process orders": 0.06,
		"tracelab.journey.path.time gateway POST /orders work other":                  0.008,
		"tracelab.journey.repeated":                                                   0,
	} {
		if got, ok := sums[key]; !ok || got != want {
			t.Errorf("%s is %v (%t), want %v", key, got, ok, want)
		}
	}
	if len(sums) != len(first) || len(sums) != 11 {
		t.Errorf("%d series, and %d at first: %v", len(sums), len(first), sums)
	}
}

func TestTheEndShowsNewSeriesToo(t *testing.T) {
	m, reader := newMeter(t, Config{})
	m.Count(0, kept(0, "POST /orders"))
	m.End()
	if sums, _ := collect(t, reader); sums["tracelab.journey.judged ok gateway POST /orders"] != 1 {
		t.Errorf("%v", sums)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestHistogramsHaveTheRootAsExemplar(t *testing.T) {
	m, reader := newMeter(t, Config{})
	s := kept(4, "POST /orders")
	m.Count(0, s)
	_, histograms := collect(t, reader)
	for name, want := range map[string]struct {
		count uint64
		sum   float64
	}{"caller_wait": {1, 0.01}, "completion": {1, 0.06}, "tail": {1, 0.05}, "queue_wait": {2, 0.026}} {
		h := histograms["tracelab.journey."+name]
		if len(h.DataPoints) != 1 {
			t.Errorf("%s: %d series", name, len(h.DataPoints))
			continue
		}
		p := h.DataPoints[0]
		if p.Count != want.count || p.Sum != want.sum || len(p.Exemplars) == 0 {
			t.Errorf("%s: %d with sum %v and %d exemplars, want %+v", name, p.Count, p.Sum, len(p.Exemplars), want)
			continue
		}
		if e := p.Exemplars[0]; fmt.Sprintf("%x %x", e.TraceID, e.SpanID) != s.Root.Trace+" "+s.Root.Span {
			t.Errorf("%s: exemplar of trace %x, span %x", name, e.TraceID, e.SpanID)
		}
	}
}

func TestEachKeyCountsOnce(t *testing.T) {
	m, reader := newMeter(t, Config{Keys: 4})
	if !m.Count(0, kept(0, "a")) || m.Count(0, kept(0, "a")) {
		t.Error("a key did not count once")
	}
	m.Know(0, kept(1, "a").TraceID())
	if m.Count(0, kept(1, "a")) {
		t.Error("a key that another counted counts again")
	}
	m.Forget(0)
	if !m.Count(0, kept(1, "a")) {
		t.Error("a key is known after its partition went")
	}
	for n := range 100 {
		m.Count(1, kept(n, "a"))
		if m.Count(1, kept(n, "a")) || len(m.keys.partitions[1].keys) > 4 || len(m.keys.partitions[1].order) > 4 {
			t.Fatalf("key %d counts twice, or %d keys are known of 4", n, len(m.keys.partitions[1].keys))
		}
	}
	m.End()
	if sums, _ := collect(t, reader); sums["tracelab.journey.repeated"] != 102 || sums["tracelab.journey.judged ok gateway a"] != 102 {
		t.Errorf("%v", sums)
	}
}

// TestSeriesAreBounded: roots, topics and steps that differ in every journey end in other, and nothing is lost.
func TestSeriesAreBounded(t *testing.T) {
	m, reader := newMeter(t, Config{Roots: 3, Destinations: 2, Steps: 5})
	const n = 5000
	for i := range n {
		s := kept(i, "root "+strconv.Itoa(i))
		s.Queues[0].Topic, s.Steps[0].Name = "t"+strconv.Itoa(i), "step "+strconv.Itoa(i)
		s.Lint = map[journey.RuleID]int{journey.RuleID("\x01" + strconv.Itoa(i)): 1}
		m.Count(0, s)
	}
	m.End()
	sums, histograms := collect(t, reader)
	judged := 0.0
	for _, name := range []string{"0", "1", "2"} {
		judged += sums["tracelab.journey.judged ok gateway root "+name]
	}
	if judged+sums["tracelab.journey.judged ok other"] != n || sums["tracelab.journey.findings other"] != n {
		t.Errorf("%v named and %v others of %d, %v findings", judged, sums["tracelab.journey.judged ok other"], n, sums["tracelab.journey.findings other"])
	}
	if len(sums) > 60 || len(histograms["tracelab.journey.queue_wait"].DataPoints) > 12 {
		t.Errorf("%d series of counters, %d of queue waits", len(sums), len(histograms["tracelab.journey.queue_wait"].DataPoints))
	}
}

func TestARankingIsStable(t *testing.T) {
	r := newRanking(2)
	seldom := func(value string, times int) (got string) {
		for range times {
			got = r.name(value)
		}
		return got
	}
	if seldom("a", 60) != "a" || seldom("b", 40) != "b" || seldom("c", 99) != other {
		t.Error("the first two have no names, or the third has")
	}
	if got := r.name("c"); got != "c" || r.name("b") != other || r.name("a") != "a" {
		t.Errorf("c came twice as often as b, and is %s", got)
	}
	if seldom("b", 10_000) != other {
		t.Error("what lost its place took one again")
	}
	if seldom("d", 200) != "d" || seldom("e", 10_000) != other {
		t.Error("places were taken more often than there are")
	}
}

func TestACounterHasALimit(t *testing.T) {
	m, reader := newMeter(t, Config{})
	for i := range 3 * maxSeries {
		s := kept(i, "a")
		s.Outcome, s.Reason = summary.Incomplete, fmt.Sprintf("x (%c%02d)", 'A'+i/100%26, i%100)
		m.Count(0, s)
	}
	m.End()
	sums, _ := collect(t, reader)
	if got := len(m.incomplete.series); got > maxSeries+1 || sums["tracelab.journey.incomplete true"] == 0 {
		t.Errorf("%d series, %v in the overflow", got, sums["tracelab.journey.incomplete true"])
	}
}
