package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tracelab/internal/otlp"
	"tracelab/internal/vocabulary"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

const (
	// recentJourneys is how many journeys a lab that stays up keeps unless it is told.
	recentJourneys = 200
	// rememberedLive is how many units the service of the entry step remembers there, unless it is told.
	rememberedLive = 5000
	// stepsOfRemembered is how many steps each service remembers for each of these units.
	stepsOfRemembered = 4
	// waitingBatchesLive is how many links of batches may wait there for the spans that they lead to.
	waitingBatchesLive = 2000
)

// Live is a lab that stays up: its services, its broker and a client that places units one by one or in a stream, until it is closed.
// It writes no run directory: what it keeps is in memory and bounded. Its methods may be called from any goroutine. Open makes one; the zero Live is a
// lab that is not open, with nothing in it.
type Live struct {
	config  Config
	name    string // of the run that its units belong to
	env     *environment
	judge   *judge
	forward *otlp.Forwarder // nil: no spans are sent on
	changes *changes
	nudges  chan struct{} // has an element when there may be something to read
	brokers brokerWatches
	ctx     context.Context // ends with the lab
	end     context.CancelFunc
	ended   sync.WaitGroup // of what goes on in the background

	streaming streaming
	cond      struct {
		sync.Mutex
		Conditions
		since time.Time // from when on the times of faults and links count
	}
	looked struct {
		sync.Mutex
		at       time.Time         // when somebody asked last for a snapshot
		did      time.Time         // when something was done to a part last
		killed   map[string]bool   // instances that were killed and not started again
		starting map[string]string // instances that are being started, with what that waits for
		ended    map[string]string // the last kill or stop of each service, in words
	}

	// The judge's lock guards what follows.
	next    int        // number of the next unit
	sums    *liveSums  // of all units
	figures figures    // of the newest ones
	reads   liveReads  // of the units' own state
	drawn   drawnUnits // for faults
}

// Where says in words where a lab runs.
type Where struct {
	Broker  string // the Kafka, and the RabbitMQ when there is one
	Stores  string // where the services keep what they remember
	Jaeger  string // its URL; "" when the lab knows of none
	Gateway string // its URL
}

// Open starts a lab that stays up, with a configuration as of a run; what says how a run goes on and ends (Orders, Rate, Events, Out and the like) has
// no use. With no Forms given, units can be placed in every form of the flow, also in its corners where the flow has them. Of recent journeys, so
// many are kept, at least one; 0: 200. The context bounds the start; Close ends the lab. A *ConfigError is a configuration that makes no sense.
func Open(ctx context.Context, c Config, recent int) (*Live, error) {
	first := Conditions{Faults: c.Faults, Relation: c.Relation, Links: c.Links}
	c, err := liveConfig(c)
	if err != nil {
		return nil, err
	}
	c.Links, c.settableLinks = nil, c.Target == ""
	l := &Live{config: c, name: rundir.Name(time.Now(), c.Seed), changes: newChanges(), nudges: make(chan struct{}, 1)}
	l.looked.killed, l.looked.starting, l.looked.ended = map[string]bool{}, map[string]string{}, map[string]string{}
	l.ctx, l.end = context.WithCancel(context.WithoutCancel(ctx))
	l.sums = newLiveSums(c.Forms, 2*c.Remembered)
	l.figures = newFigures()
	jc := judgeConfig{run: l.name, forms: c.Forms, flow: c.Flow, seed: c.Seed, held: c.HeldSpans}
	if c.Target == "" {
		jc.open = newOpenSpans(l.name)
	}
	l.judge = newJudge(jc)
	l.judge.shared.leftOut = true
	if l.judge.batches != nil {
		l.judge.batches.limit = waitingBatchesLive
	}
	l.judge.kept = newKeptUnits(cmp.Or(recent, recentJourneys), l.measured, l.touched)
	if l.env, err = start(ctx, c, l.name, l.judge); err != nil {
		l.end()
		return nil, err
	}
	if err := l.begin(ctx, first); err != nil {
		return nil, errors.Join(err, l.Close(context.WithoutCancel(ctx)))
	}
	return l, nil
}

// errNotOpen is the answer of a zero Live.
var errNotOpen = errors.New("the lab is not open: make one with Open")

// open tells whether the lab was made by Open.
func (l *Live) open() bool { return l.env != nil }

// liveConfig is what a lab that stays up makes of a configuration.
func liveConfig(c Config) (Config, error) {
	if c.Flow == nil {
		c.Flow = flows.Order()
	}
	if len(c.Forms) == 0 {
		c = c.withAllForms()
	}
	c.Headers = true
	c.Base, c.Events, c.Orders, c.Profiles, c.ReadAfter = "", nil, 0, "", nil
	setDefault(&c.Remembered, rememberedLive)
	c.effects = stepsOfRemembered * c.Remembered
	return c.withDefaults()
}

// withAllForms adds the corners to a flow that has them, and takes all forms that this lab can have.
func (c Config) withAllForms() Config {
	if c.Target == "" { // services elsewhere know the forms of their flow only
		if extended, _, err := c.Flow.WithCorners(); err == nil {
			c.Flow = extended
		}
	}
	byRabbitMQ := c.Flow.FormsBy(flows.RabbitMQ)
	for _, form := range c.Flow.Forms() {
		needsMore := slices.Contains(byRabbitMQ, form) && len(c.RabbitMQ) == 0 && c.Target == ""
		if !needsMore && (!c.Kotel || !c.Flow.HasBatches(form)) {
			c.Forms = append(c.Forms, form)
		}
	}
	if len(c.Forms) == 0 {
		c.Forms = byRabbitMQ // the check says what they need
	}
	return c
}

// begin starts what goes on in the background.
func (l *Live) begin(ctx context.Context, first Conditions) error {
	if l.env.collector.unjudged != nil {
		l.env.collector.unjudged.placed() // batches are judged as they come
	}
	var err error
	if l.forward, err = l.env.sendOn(ctx, l.config); err != nil {
		return err
	}
	if l.config.Target == "" {
		l.brokers = newBrokerWatches(l.config.Flow, l.env.config)
	}
	l.reads.states = newStateReader(l.env.client, l.name, l.reads.take)
	if err := l.SetConditions(first); err != nil {
		return err
	}
	l.ended.Go(l.follow)
	l.ended.Go(l.stream)
	if l.env.jaeger != nil {
		l.ended.Go(l.fetch)
	}
	return nil
}

// Close ends the lab: it waits for units that were placed, as long as the context lasts, but no longer than a run waits for its services. What was kept
// is gone with it.
func (l *Live) Close(ctx context.Context) error {
	if !l.open() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	l.end()
	l.ended.Wait()
	l.changes.stop()
	l.brokers.close()
	errs := []error{l.env.stop(ctx)}
	if l.forward != nil {
		_, err := l.forward.Finish(ctx)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Flow is the flow that the services do: with its corners, when units can be placed in those.
func (l *Live) Flow() *flows.Flow { return l.config.Flow }

// Forms lists the forms that units can be placed in, in the order of the flow.
func (l *Live) Forms() []services.Form { return slices.Clone(l.config.Forms) }

// Where says where the lab runs.
func (l *Live) Where() Where {
	if !l.open() {
		return Where{}
	}
	return Where{Broker: l.env.brokerIs, Stores: l.env.stores, Jaeger: l.config.Jaeger, Gateway: l.env.client.base}
}

// checkForms finds a form that this lab has not started with.
func (l *Live) checkForms(forms []services.Form) error {
	for i, form := range forms {
		if !slices.Contains(l.config.Forms, form) {
			return &vocabulary.UnknownError{What: "form of this lab", Word: string(form), Known: formNames(l.config.Forms)}
		}
		if slices.Contains(forms[:i], form) {
			return fmt.Errorf("form %s is there twice: the twins of a unit are of different forms", form)
		}
	}
	return nil
}

func formNames(forms []services.Form) []string {
	names := make([]string, len(forms))
	for i, form := range forms {
		names[i] = string(form)
	}
	return names
}
