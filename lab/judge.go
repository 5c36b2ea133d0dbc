package lab

import (
	"runtime"
	"sync"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// orderLimit is how many spans of one order are kept. An order has a few dozen: more are somebody else's.
const orderLimit = 4096

// judge takes the spans of a run's orders as they come. When an order's journey is complete it is measured, and once half of what memory may hold is
// full its spans go to the run directory and only its figures stay. A span that comes after that opens the order again.
type judge struct {
	run    string
	unit   unitWord
	forms  []services.Form
	expect expectations
	open   *openSpans     // nil when the services run elsewhere
	out    *rundir.Writer // nil: a lab that stays up, whose judge holds the spans of the units that it keeps
	limit  int            // of spans that are held

	mu       sync.Mutex
	records  map[services.Form][]*record // by number
	kept     *keptUnits                  // in their place, in a lab that stays up
	placed   []*record                   // in the order in which they were placed
	shared   sharedSpans
	batches  *batchSpans // nil when no form has any
	held     int         // spans in memory
	foreign  int         // spans of no order and no service of this run
	damaged  int         // batches that could not be read
	late     int         // spans that came when their journey had been measured
	err      error
	changed  chan struct{} // closed and replaced when spans of an order come
	finished bool
}

// judgeConfig says which orders there will be.
type judgeConfig struct {
	run    string
	forms  []services.Form
	orders int // of each form
	flow   *flows.Flow
	seed   uint64
	open   *openSpans
	out    *rundir.Writer // nil: spans stay in memory
	held   int            // spans in memory at the most
}

func newJudge(c judgeConfig) *judge {
	j := &judge{run: c.run, unit: unitOf(c.flow), forms: c.forms, expect: newExpectations(c.flow, c.seed), open: c.open, out: c.out, limit: c.held,
		records: map[services.Form][]*record{}, shared: newSharedSpans(), batches: newBatchSpans(c.flow, c.forms), changed: make(chan struct{})}
	for _, form := range c.forms {
		j.records[form] = make([]*record, c.orders)
	}
	return j
}

// damagedBatch counts a batch that could not be read.
func (j *judge) damagedBatch() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.damaged++
}

// answered notes an order that its client placed, and what came of it.
func (j *judge) answered(o order) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.find(orderKey{services.Form(o.Form), o.Number})
	if r == nil {
		return
	}
	r.order, r.placed, r.dirty = o, true, true
	j.placed = append(j.placed, r)
	j.measureEarly(r)
}

// add takes spans, and measures the journeys that they complete. Between two orders it lets others have the CPU: a
// service or the generator that is due would else wait for a whole batch.
func (j *judge) add(traces ptrace.Traces) {
	for _, r := range j.take(traces) {
		runtime.Gosched()
		j.mu.Lock()
		j.measureEarly(r)
		j.mu.Unlock()
	}
}

// take keeps spans, and returns the orders that got some.
func (j *judge) take(traces ptrace.Traces) []*record {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.finished || j.err != nil {
		return nil
	}
	touched := j.split(traces)
	if len(touched) > 0 {
		close(j.changed)
		j.changed = make(chan struct{})
	}
	if j.out == nil {
		j.kept.makeRoom(j)
		if len(touched) > 0 {
			j.kept.touched()
		}
		return touched
	}
	j.keepError(j.shared.write(j.out))
	if j.held > j.limit {
		j.spill()
	}
	return touched
}

// keepError remembers the first thing that went wrong with the run directory; the run ends with it.
func (j *judge) keepError(err error) {
	if j.err == nil {
		j.err = err
	}
}

// measureEarly measures a journey before the order's own state is known: when every step of an order that nothing goes
// wrong with has its span, no span is open, and the journey is whole. One that is not stays to be judged by its state: a step
// that failed and was tried again has as many spans as those behind it would have had.
func (j *judge) measureEarly(r *record) {
	want := j.expect.whole(r.key)
	if j.finished || j.err != nil || !r.placed || !r.dirty || !r.begun || r.failed != nil || r.steps < len(want.steps) || j.open.open(r.key) > 0 {
		return
	}
	j.examine(r, want)
	r.dirty = !r.complete
}

// examine judges one order: its journey is complete, or Incomplete says why not.
func (j *judge) examine(r *record, want expectation) {
	found, why := j.journey(r)
	if why == "" {
		why = j.expect.missing(found, want)
	}
	r.dirty, r.Incomplete = false, why
	if why == "" {
		j.complete(r, found)
	}
}

// complete measures a journey, and lets its spans go where memory is wanted.
func (j *judge) complete(r *record, found *journey.Journey) {
	r.complete = true
	r.measure(found)
	if j.out == nil {
		j.kept.completed(r)
		return
	}
	if j.held > j.limit/2 { // while there is room they stay, as a span that comes later would have them read back
		j.keepError(j.save(r))
	}
}

// journey finds an order's journey by its root, and says what makes it not whole, or "".
func (j *judge) journey(r *record, opts ...journey.Option) (*journey.Journey, string) {
	spans, err := j.spansOf(r)
	if err != nil {
		j.keepError(err)
		return nil, "its spans cannot be read back"
	}
	r.traces, r.seen = distinctTraces(spans), j.expect.servicesOf(spans)
	set := journey.NewSet(spans, opts...)
	i, ok := set.Find(r.root)
	if !ok {
		return nil, "the client's span is missing"
	}
	found, _ := set.JourneyFrom(i)
	for _, w := range found.Warnings() {
		if w.Rule == journey.RuleOrphan || w.Rule == journey.RuleLinkTarget {
			return found, w.Text
		}
	}
	return found, ""
}

// reopen takes back that a journey is complete, because a span of it came later.
func (j *judge) reopen(r *record) {
	j.late++
	r.complete = false
}

// changes returns a channel that is closed when spans of an order come.
func (j *judge) changes() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed
}
