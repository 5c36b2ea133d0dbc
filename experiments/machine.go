package experiments

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"

	"tracelab/experiments/verdict"
)

// latencies is the runtime's histogram of how long goroutines that could run waited for a thread.
const latencies = "/sched/latencies:seconds"

// moment is what the process has used of the machine up to a time.
type moment struct {
	at    time.Time
	cpu   time.Duration
	waits []uint64  // goroutines by how long they waited
	edges []float64 // of the waits, in seconds; one more than waits
}

func now() moment {
	m := moment{at: time.Now(), cpu: cpuTime()}
	sample := []metrics.Sample{{Name: latencies}}
	metrics.Read(sample)
	if sample[0].Value.Kind() == metrics.KindFloat64Histogram {
		h := sample[0].Value.Float64Histogram()
		m.waits, m.edges = append(m.waits, h.Counts...), h.Buckets
	}
	return m
}

// usage sums up what the process used over some stretches of time.
type usage struct {
	elapsed, cpu time.Duration
	waits        []uint64
	edges        []float64
}

// add adds the stretch between two moments.
func (u *usage) add(from, to moment) {
	u.elapsed += to.at.Sub(from.at)
	u.cpu += to.cpu - from.cpu
	if len(u.waits) == 0 {
		u.waits, u.edges = make([]uint64, len(to.waits)), to.edges
	}
	for i := range u.waits {
		if i < len(from.waits) && i < len(to.waits) {
			u.waits[i] += to.waits[i] - from.waits[i]
		}
	}
}

// process is the share of all cores that was used, and how long the slowest goroutine of a hundred waited for one.
func (u *usage) process() *verdict.Process {
	if u.elapsed <= 0 {
		return nil
	}
	return &verdict.Process{
		CPUShare: float64(u.cpu) / float64(u.elapsed) / float64(runtime.GOMAXPROCS(0)),
		RunQueue: u.waited(0.99),
	}
}

// waited is a quantile of the waits: the upper edge of its bucket.
func (u *usage) waited(quantile float64) time.Duration {
	var all, seen uint64
	for _, n := range u.waits {
		all += n
	}
	for i, n := range u.waits {
		if seen += n; all > 0 && float64(seen) >= quantile*float64(all) {
			edge := u.edges[i+1]
			if math.IsInf(edge, 1) {
				edge = u.edges[i]
			}
			return time.Duration(edge * float64(time.Second)).Round(time.Microsecond)
		}
	}
	return 0
}

// join adds what another run used.
func (u *usage) join(o usage) {
	u.elapsed += o.elapsed
	u.cpu += o.cpu
	if len(u.waits) == 0 {
		u.waits, u.edges = make([]uint64, len(o.waits)), o.edges
	}
	for i := range min(len(u.waits), len(o.waits)) {
		u.waits[i] += o.waits[i]
	}
}
