package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"tracelab/internal/otlp"
	"tracelab/lab/rundir"
	"tracelab/services"
)

const (
	// stopTimeout bounds the end of a run: draining, the last spans, the broker.
	stopTimeout = 8 * time.Second
	// accountsTimeout bounds reading the state of all orders.
	accountsTimeout = 30 * time.Second
)

// Run is the main job: it places the same orders in every form, waits until they are done, judges their journeys, and
// writes the run directory. The Result tells of orders that were lost or are pending, and of spans that were dropped;
// an error is for a run that could not be done.
func Run(ctx context.Context, c Config) (*Result, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	r, err := begin(ctx, c)
	if err != nil {
		return nil, err
	}
	result, err := r.run(ctx)
	if err != nil {
		err = errors.Join(err, r.abandon(ctx))
	}
	return result, err
}

// running is a run under way.
type running struct {
	Config
	name    string
	out     *rundir.Writer
	judge   *judge
	env     *environment
	forward *otlp.Forwarder // nil: no spans are sent on
	cpu     *profiler       // nil: no profiles are made

	warm      rundir.WarmUp
	before    services.OrdersInstance // the orders service that the run began with
	after     services.Summary        // its accounts in the end
	viewed    services.Staleness      // of the view that a form reads
	generator rundir.Generator
	starved   starvation
	placed    int
	reported  *services.SpanReport // of services elsewhere, when the run began; nil: they did not say
	elsewhere map[string]int64     // spans that services elsewhere dropped, by form
	// undecodable is how many messages no consumer could decode while the run's own orders were placed and done.
	undecodable int64
	problems    []string // of what went wrong on the way
	away        []string // brokers that do not answer in the end
	unread      bool     // the accounts could not be read
	waited      bool     // for journeys, until the deadline

	began          time.Time                        // when the first order was to be placed
	happened       []Happened                       // to parts of the lab
	crashes        []outage                         // of services that faults made crash
	firedElsewhere map[services.Form]map[string]int // how many orders services elsewhere acted on for each fault, by form
	kept           kept                             // what a Jaeger still has
	states         *stateReader
	calls          services.CallReport // how calls went, as the services counted
}

// begin prepares the run directory and starts the services.
func begin(ctx context.Context, c Config) (*running, error) {
	if err := errors.Join(rundir.Prepare(c.Out), prepareProfiles(c.Profiles)); err != nil {
		return nil, err
	}
	r := &running{Config: c, name: rundir.Name(time.Now(), c.Seed)}
	var err error
	if r.out, err = rundir.Create(c.Out, r.name); err != nil {
		return nil, err
	}
	jc := judgeConfig{run: r.name, forms: c.Forms, orders: c.Orders, flow: c.Flow, seed: c.Seed, out: r.out, held: c.HeldSpans}
	if c.Target == "" {
		jc.open = newOpenSpans(r.name)
		jc.open.lost = map[orderKey]bool{}
	}
	r.judge = newJudge(jc)
	c.Progress(Progress{Stage: "starting the services"})
	if r.env, err = start(ctx, c, r.name, r.judge); err != nil {
		return nil, errors.Join(err, r.out.Abandon())
	}
	if r.forward, err = r.env.sendOn(ctx, c); err != nil {
		return nil, errors.Join(err, r.abandon(ctx))
	}
	return r, nil
}

// sendOn sends every span to where the configuration says, or nothing: then the forwarder is nil.
func (env *environment) sendOn(ctx context.Context, c Config) (*otlp.Forwarder, error) {
	if c.OTLP.Traces.IsZero() {
		return nil, nil
	}
	env.collector.sendOn = newBacklog(backlogLimit)
	return otlp.StartForwarder(ctx, otlp.ForwarderConfig{To: c.OTLP.Traces, Next: env.collector.sendOn.next, Keep: sampled(c.Seed, 1-c.Unsent)})
}

// abandon ends a run that broke off and leaves nothing of it.
func (r *running) abandon(ctx context.Context) error {
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if r.forward != nil {
		r.forward.Abandon(stopping)
	}
	r.cpu.stop()
	r.Weather.close()
	return errors.Join(r.env.stop(stopping), r.out.Abandon())
}

// run is the run in its phases.
func (r *running) run(ctx context.Context) (*Result, error) {
	r.askDropsBefore(ctx)
	if err := r.warmUp(ctx); err != nil {
		return nil, err
	}
	undecodable := r.env.undecodable()
	if err := r.placeOrders(ctx); err != nil {
		return nil, err
	}
	if err := r.judgeOrders(ctx); err != nil {
		return nil, err
	}
	r.undecodable = max(0, r.env.undecodable()-undecodable) // a service that was killed begins to count anew
	r.findAway(ctx)
	r.happened = r.Weather.close()
	r.findCrashes()
	if err := r.findRate(ctx); err != nil {
		return nil, err
	}
	r.readCalls(ctx)
	r.findKept(ctx)
	r.stopServices(ctx)
	if err := r.judge.finish(); err != nil {
		return nil, err
	}
	result, err := r.report()
	if err != nil {
		return nil, err
	}
	if err := r.cpu.save(result); err != nil {
		return nil, err
	}
	if err := r.out.Starved(r.starved.times()); err != nil {
		return nil, err
	}
	return result, r.out.Commit(r.judge.orders(), result)
}

// load is the load of a run, the warm-up's or the run's own.
func (r *running) load(run string, orders int, answered func(order)) load {
	return load{client: r.env.client, flow: r.Flow, run: run, exp: r.experiment(), forms: r.Forms, orders: orders, rate: r.Rate, clients: r.Clients, stop: r.EndEarly, answered: answered}
}

// endedEarly tells whether the run was asked to end before all of its orders are placed.
func (r *running) endedEarly() bool {
	select {
	case <-r.EndEarly:
		return true
	default:
		return false
	}
}

var errNothingPlaced = errors.New("the run was ended before it had placed anything")

// placeOrders offers the load and waits until every order has its answer, or has waited for its time, and is final.
func (r *running) placeOrders(ctx context.Context) error {
	var err error
	if r.cpu, err = startProfiler(r.Profiles); err != nil {
		return err
	}
	stop := r.env.followJaeger(ctx)
	defer stop()
	orders := r.Orders * len(r.Forms)
	// Who does not answer now will not tell later that it was restarted: then nothing is said of it.
	if summary, err := r.env.client.summary(ctx, r.name); err == nil {
		r.before = summary.Orders
	}
	r.states = newStateReader(r.env.client, r.name, r.judge.know)
	reading := r.states.follow(ctx)
	defer reading()
	var done atomic.Int64
	load := r.load(r.name, r.Orders, func(o order) {
		r.judge.answered(o)
		r.Progress(Progress{Stage: StagePlacing, Answered: int(done.Add(1)), Orders: orders})
	})
	load.think = r.Think // the warm-up does without
	load.reads = r.ReadAfter
	r.Weather.open(r.env)
	disturbing, calm := context.WithCancel(ctx)
	defer calm()
	events := func() {}
	load.surge = r.Surge
	load.begun = func(at time.Time) {
		if r.began = at; r.env.links != nil {
			r.env.links.Begin(disturbing, at)
		}
		events = r.Weather.begin(disturbing, at, r.Events)
	}
	watching := r.starved.watch()
	r.cpu.asClient(ctx, func() { r.placed, r.generator, err = load.offer(ctx) })
	watching()
	if !r.endedEarly() {
		defer r.cancelOnEndEarly(calm)()
		events() // the last of them may be after the last answer
	}
	if r.env.collector.unjudged != nil {
		r.env.collector.unjudged.placed()
	}
	if err == nil && r.placed == 0 {
		err = errNothingPlaced
	}
	return err
}

// cancelOnEndEarly cancels when the run is asked to end, until stop is called.
func (r *running) cancelOnEndEarly(cancel func()) (stop func()) {
	stopped := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-r.EndEarly:
			cancel()
		case <-stopped:
		}
	}()
	return func() { close(stopped); <-ended }
}

// stopServices ends the services, so that their last spans are there, and sends what is to be sent.
func (r *running) stopServices(ctx context.Context) {
	r.Progress(Progress{Stage: "stopping the services", Answered: r.placed, Orders: r.placed})
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	r.elsewhere = r.droppedElsewhere(stopping)
	if err := r.env.stop(stopping); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") { // joined errors stand on lines of their own
			r.problems = append(r.problems, "stopping: "+line)
		}
	}
}

// sendRest ends sending on, and returns how many spans were sent.
func (r *running) sendRest() (sent int) {
	if r.forward == nil {
		return 0
	}
	stopping, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	sent, err := r.forward.Finish(stopping)
	r.forward = nil
	if err != nil {
		r.problems = append(r.problems, err.Error())
	}
	if n := r.env.collector.sendOn.droppedSpans(); n > 0 {
		r.problems = append(r.problems, fmt.Sprintf("%d spans were not sent: the otlp endpoint is slower than the run, and %d MiB waited for it", n, backlogLimit>>20))
	}
	return sent
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
