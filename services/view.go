package services

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	carrierhttp "tracelab/services/internal/carrier/http"
	"tracelab/services/internal/orderpb"
)

const (
	// maxReads is how many reads of a run, and how many updates, the view remembers: the newest.
	maxReads = 10_000
	// maxViewRuns is how many runs' reads the view remembers: the newest.
	maxViewRuns = 16
)

// Span attributes of a view.
const (
	keyViewDelay = "tracelab.view.delay_ns" // from an update's commit to its being visible
	keyViewAge   = "tracelab.view.age_ns"   // from the commit of the newest update that a read saw to the read
)

// view is data of other services that the service of the entry step keeps in memory, fed by their messages.
type view struct {
	from []string
	node *node
	now  func() time.Time

	delays, ages metric.Float64Histogram

	mu      sync.Mutex
	entries map[string]time.Time // by service: when what the view has of it was committed
	updates []viewUpdate         // the newest
	runs    []*viewRun           // the newest
}

type viewUpdate struct {
	visible time.Time
	delay   time.Duration
}

// viewRun are the reads of one run.
type viewRun struct {
	name  string
	first time.Time
	reads []viewRead
}

type viewRead struct {
	at     time.Time
	age    time.Duration
	missed bool // an update that had been committed
}

// Staleness is how far a view was behind the services whose data it has, during a run.
type Staleness struct {
	// Delays are from an update's commit to its being visible in the view, in nanoseconds, of the updates since the run's first read.
	Delays []int64 `json:"delay_ns"`
	// Ages are from the commit of the newest update that a read saw to that read, in nanoseconds, for each read of the run.
	Ages []int64 `json:"age_ns"`
	// Missed counts the reads that did not see an update which had been committed.
	Missed int `json:"missed"`
}

// newView makes the view of a flow; nil: no form has one, or its updates are not wanted.
func newView(n *node, config Config) (*view, error) {
	of := n.flow.ViewOf(config.forms()...)
	if of == nil {
		return nil, nil //nolint:nilnil // there is none, and nothing is wrong
	}
	v := &view{from: of.From, node: n, now: time.Now, entries: map[string]time.Time{}}
	meter := n.telemetry.Meters.Meter(telemetry.Scope, metric.WithSchemaURL(semconv.SchemaURL))
	for _, h := range []struct {
		to   *metric.Float64Histogram
		name string
		what string
	}{
		{&v.delays, "tracelab.view.delay.duration", "Time from an update's commit to its being visible in the view."},
		{&v.ages, "tracelab.view.age.duration", "Time from the commit of the newest update that a read of the view saw to the read."},
	} {
		var err error
		*h.to, err = meter.Float64Histogram(h.name, metric.WithUnit("s"), metric.WithDescription(h.what),
			metric.WithExplicitBucketBoundaries(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300))
		if err != nil {
			return nil, fmt.Errorf("metrics of the view: %w", err)
		}
	}
	n.httpServer.Plain("GET /runs/{run}/view", http.HandlerFunc(v.report))
	return v, nil
}

// apply takes an update, unless a newer one of its service is there: delivery is at least once.
func (v *view) apply(ctx context.Context, event *orderpb.Event) error {
	body := event.GetOrder().GetBody()
	nanos, err := strconv.ParseInt(body["committed"], 10, 64)
	if err != nil || !slices.Contains(v.from, body["service"]) {
		return carrier.Fail("", carrier.Undecodable, "this is no update of the view")
	}
	now, committed := v.now(), time.Unix(0, nanos)
	delay := max(0, now.Sub(committed)) // another machine's clock may be ahead
	v.mu.Lock()
	defer v.mu.Unlock()
	if !committed.After(v.entries[body["service"]]) {
		return nil
	}
	v.entries[body["service"]] = committed
	v.updates = append(v.updates, viewUpdate{now, delay})
	v.updates = v.updates[max(0, len(v.updates)-maxReads):]
	for _, run := range v.runs {
		for i := len(run.reads) - 1; i >= 0 && !run.reads[i].at.Before(committed); i-- {
			run.reads[i].missed = true
		}
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.Int64(keyViewDelay, int64(delay)))
	v.delays.Record(ctx, delay.Seconds())
	return nil
}

// read reads the view for an order, in the place of the steps that the form leaves out.
func (v *view) read(ctx context.Context, e Experiment) error {
	ctx, span := v.node.telemetry.Tracer.Start(ctx, "view read")
	defer span.End()
	v.mu.Lock()
	defer v.mu.Unlock()
	newest := time.Time{}
	for _, service := range v.from {
		committed, ok := v.entries[service]
		if !ok {
			failed := carrier.Fail("", carrier.Unavailable, "the view has nothing of "+service+" yet: is it running, and its broker?")
			telemetry.MarkFailed(span, failed.Reason(), failed)
			return failed
		}
		if committed.After(newest) {
			newest = committed
		}
	}
	now := v.now()
	read := viewRead{at: now, age: max(0, now.Sub(newest))}
	span.SetAttributes(attribute.Int64(keyViewAge, int64(read.age)))
	v.ages.Record(ctx, read.age.Seconds())
	i := slices.IndexFunc(v.runs, func(r *viewRun) bool { return r.name == e.Run })
	if i < 0 {
		v.runs = append(v.runs, &viewRun{name: e.Run, first: now})
		v.runs = v.runs[max(0, len(v.runs)-maxViewRuns):]
		i = len(v.runs) - 1
	}
	run := v.runs[i]
	run.reads = append(run.reads, read)
	run.reads = run.reads[max(0, len(run.reads)-maxReads):]
	return nil
}

// missing lists what the view waits for before it can be read.
func (v *view) missing() []string {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var missing []string
	for _, service := range v.from {
		if _, ok := v.entries[service]; !ok {
			missing = append(missing, "first update of the view by "+service)
		}
	}
	return missing
}

// staleness is how far the view was behind during a run.
func (v *view) staleness(name string) Staleness {
	s := Staleness{Delays: []int64{}, Ages: []int64{}}
	v.mu.Lock()
	defer v.mu.Unlock()
	i := slices.IndexFunc(v.runs, func(r *viewRun) bool { return r.name == name })
	if i < 0 {
		return s
	}
	for _, read := range v.runs[i].reads {
		s.Ages = append(s.Ages, int64(read.age))
		if read.missed {
			s.Missed++
		}
	}
	for _, update := range v.updates {
		if !update.visible.Before(v.runs[i].first) {
			s.Delays = append(s.Delays, int64(update.delay))
		}
	}
	return s
}

// report answers GET /runs/{run}/view.
func (v *view) report(w http.ResponseWriter, r *http.Request) {
	carrierhttp.WriteJSON(w, http.StatusOK, v.staleness(r.PathValue("run")))
}

// readView reads the view where a step of an order does so.
func (n *node) readView(ctx context.Context, e Experiment, step Step) error {
	switch {
	case !n.flow.ReadsView(e.Form, step):
		return nil
	case n.view == nil:
		return carrier.Fail("", carrier.Unavailable, n.name+" keeps no view: start it for the form "+string(e.Form))
	}
	return n.view.read(ctx, e)
}

// forms lists the forms that orders will have.
func (c Config) forms() []Form {
	if c.Forms == nil {
		return c.flow().Forms()
	}
	return c.Forms
}

// feeding is the work of a service whose data a view has.
type feeding struct {
	stop context.CancelFunc // nil: it feeds none
	work sync.WaitGroup
}

// beginFeeding begins to change the data of a service whose data a view has.
func (n *node) beginFeeding(config Config) {
	of := n.flow.ViewOf(config.forms()...)
	if of == nil || !slices.Contains(of.From, n.name) {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.feeding.stop = cancel
	n.feeding.work.Go(func() {
		n.telemetry.Labels.Service()
		n.feedView(ctx, of)
	})
}

// stopFeeding ends it; what is being published may take until the broker's client is closed.
func (n *node) stopFeeding() {
	if n.feeding.stop != nil {
		n.feeding.stop()
	}
}

// feedView changes the data of a service whose data a view has, at the view's rate, until the context ends: each change is committed, then
// published. Changes come at whole multiples of their interval, those of the view's services evenly spread.
func (n *node) feedView(ctx context.Context, of *flows.View) {
	every := time.Duration(float64(time.Second) * float64(len(of.From)) / of.Updates)
	shift := every * time.Duration(slices.Index(of.From, n.name)) / time.Duration(len(of.From))
	for {
		if err := n.change(ctx, of); err != nil && ctx.Err() == nil {
			n.telemetry.Log.WarnContext(ctx, "an update of the view is not published; the next one makes up for it", "error", err)
		}
		timer := time.NewTimer(every - time.Duration((time.Now().UnixNano()-int64(shift))%int64(every)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// change commits a change of the service's data, and publishes it.
func (n *node) change(ctx context.Context, of *flows.View) error {
	ctx, span := n.telemetry.Tracer.Start(ctx, "change "+n.name)
	defer span.End()
	committed := time.Now()
	err := n.publish(ctx, of.Fed, n.flow.ViewTopic(), &orderpb.Event{Order: &orderpb.Order{Id: "view of " + n.name, Body: map[string]string{
		"service": n.name, "committed": strconv.FormatInt(committed.UnixNano(), 10)}}})
	if err != nil {
		failed := carrier.AsFailed("", err)
		telemetry.MarkFailed(span, failed.Reason(), failed)
	}
	return err
}
