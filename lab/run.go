package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"tracelab/internal/otlp"
	"tracelab/journey"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// stopPatience bounds the end of a run: draining, the last spans, the broker.
const stopPatience = 8 * time.Second

// Run is the main job: it places the same orders in every form, waits until they are done, judges their journeys, and
// writes the run directory. The Result tells of orders that were lost or are pending, and of spans that were dropped;
// an error is for a run that could not be done.
func Run(ctx context.Context, c Config) (*Result, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := rundir.Prepare(c.Out); err != nil {
		return nil, err
	}
	if err := prepareProfiles(c.Profiles); err != nil {
		return nil, err
	}
	run := rundir.Name(time.Now(), c.Seed)
	c.Progress(Progress{Stage: "starting the services"})
	env, err := start(ctx, c, run)
	if err != nil {
		return nil, err
	}
	r := &running{Config: c, name: run, env: env}
	result, err := r.run(ctx)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	return result, errors.Join(err, env.stop(stopping))
}

// running is a run under way.
type running struct {
	Config
	name    string
	env     *environment
	forward *otlp.Forwarder
}

func (r *running) run(ctx context.Context) (*Result, error) {
	table, err := services.TopologyNamed(r.Topology)
	if err != nil {
		return nil, err
	}
	if !r.OTLP.Traces.IsZero() {
		r.forward, err = otlp.StartForwarder(ctx, otlp.ForwarderConfig{To: r.OTLP.Traces, From: r.env.collector.From, Keep: sampled(r.Seed, *r.Sample)})
		if err != nil {
			return nil, err
		}
		defer func() {
			if r.forward != nil { // the run broke off
				r.forward.Abandon(context.WithoutCancel(ctx))
			}
		}()
	}
	if err := r.warmUp(ctx); err != nil {
		return nil, err
	}
	cpu, err := startProfiler(r.Profiles)
	if err != nil {
		return nil, err
	}
	defer cpu.stop() // when the run breaks off
	orders := r.Orders * len(r.Forms)
	var placed []order
	var generator Generator
	stop := r.env.followJaeger(ctx)
	defer stop()
	cpu.asClient(ctx, func() {
		placed, generator, err = r.load(r.name, r.Orders, func(done int) {
			r.Progress(Progress{Stage: "placing orders", Answered: done, Orders: orders})
		}).offer(ctx)
	})
	if err != nil {
		return nil, err
	}
	settling, cancel := context.WithTimeout(ctx, r.Deadline)
	defer cancel()
	r.Progress(Progress{Stage: "waiting for the last piece of work", Answered: orders, Orders: orders})
	r.settle(settling, r.name)
	cpu.stop()
	stop()
	states, stateErr := r.states(ctx)
	r.Progress(Progress{Stage: "judging the journeys", Answered: orders, Orders: orders})
	found, verdicts, err := judge(settling, r.env, table, placed, states, r.env.queue.ForceFlush)
	if err != nil {
		return nil, err
	}
	result := r.report(placed, generator, states, found, verdicts)
	if stateErr != nil {
		result.Problems = append(result.Problems, stateErr.Error())
	}
	if err := cpu.save(result); err != nil {
		return nil, err
	}
	judged := make([]rundir.Order, len(verdicts))
	for i, v := range verdicts {
		judged[i] = v.order.Order
	}
	return result, r.finish(ctx, result, judged)
}

func (r *running) load(run string, orders int, placed func(int)) load {
	return load{client: r.env.client, run: run, exp: r.experiment(), forms: r.Forms, orders: orders, rate: r.Rate, placed: placed}
}

// warmUp places orders that are left out of everything, and waits until nothing of them is left on its way.
func (r *running) warmUp(ctx context.Context) error {
	r.Progress(Progress{Stage: "warming up"})
	run := warmUpOf(r.name)
	if _, _, err := r.load(run, r.WarmUp, func(int) {}).offer(ctx); err != nil {
		return err
	}
	settling, cancel := context.WithTimeout(ctx, r.Deadline)
	defer cancel()
	r.settle(settling, run)
	return nil
}

// settle waits until no order of a run is pending, or the context ends: the accounts then say what is.
func (r *running) settle(ctx context.Context, run string) {
	for {
		sums, err := r.env.client.accounts(ctx, run)
		pending := 0
		for _, a := range sums {
			pending += a.Pending
		}
		if err == nil && pending == 0 || !pause(ctx, 10*time.Millisecond) {
			return
		}
	}
}

// states reads the orders' own state.
func (r *running) states(ctx context.Context) ([]services.State, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	states, err := r.env.client.orders(ctx, r.name)
	if err != nil {
		return nil, fmt.Errorf("the orders' own state cannot be read, so every accepted order counts as lost: %w", err)
	}
	return states, nil
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

// finish ends the services, so that their last spans are there, sends what is to be sent, and writes the directory.
func (r *running) finish(ctx context.Context, result *Result, placed []rundir.Order) error {
	r.Progress(Progress{Stage: "stopping the services", Answered: len(placed), Orders: len(placed)})
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	droppedElsewhere := r.droppedElsewhere(stopping, result)
	if r.env.system != nil {
		result.Skipped = r.env.system.Skipped()
	}
	if err := r.env.stop(stopping); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") { // joined errors stand on lines of their own
			result.Problems = append(result.Problems, "stopping: "+line)
		}
	}
	if r.forward != nil {
		sent, err := r.forward.Finish(stopping)
		r.forward = nil
		result.Sent = sent
		if err != nil {
			result.Problems = append(result.Problems, err.Error())
		}
	}
	r.countSpans(result)
	r.countReceived(result)
	for form, f := range result.Forms {
		f.Dropped = r.env.dropped.of(r.name, form) + droppedElsewhere[string(form)]
	}
	spans, err := sortSpans(r.env.batches(), r.name)
	if err != nil {
		return err
	}
	result.Shared = spans.shared.SpanCount()
	for form, f := range result.Forms {
		if count := spans.counts[form]; count != nil {
			f.SpanCount, f.Traces = count.spans, len(count.traces)
		}
	}
	return writeRun(r.Out, result, placed, spans)
}

// countSpans notes the sum started = exported + dropped and what is wrong with it.
func (r *running) countSpans(result *Result) {
	counts := r.env.queue.Counts()
	result.Spans = &counts
	if counts.Dropped > 0 {
		result.Problems = append(result.Problems, fmt.Sprintf("%d spans were dropped", counts.Dropped))
	}
	if open := counts.Started - counts.Exported - counts.Dropped; open != 0 {
		result.Problems = append(result.Problems, fmt.Sprintf("%d spans were started and never ended", open))
	}
}

// report sums everything up.
func (r *running) report(placed []order, generator Generator, states []services.State, found evidence, verdicts []verdict) *Result {
	result := &Result{
		Provenance: rundir.Provenance{
			Schema: rundir.Schema, Run: r.name, Seed: r.Seed, Topology: r.Topology, Relation: r.relation(), Broker: r.env.broker,
			Version: r.Version, Go: runtime.Version(), Rate: r.Rate, Faults: []string{}, Target: r.Target, WarmUp: r.WarmUp,
		},
		Dir: filepath.Join(r.Out, r.name), Generator: generator,
		Forms: map[services.Form]*FormResult{}, Problems: []string{},
		order: r.Forms, paths: map[services.Form]*medianOrder{},
	}
	for _, f := range r.Faults {
		result.Faults = append(result.Faults, f.String())
	}
	measured := map[services.Form]measures{}
	for _, form := range r.Forms {
		m := measure(form, verdicts)
		measured[form] = m
		f := m.result()
		f.Orders = account(form, placed, states)
		result.Forms[form] = f
		result.paths[form] = m.median()
		for _, problem := range f.Orders.Problems() {
			result.Problems = append(result.Problems, string(form)+": "+problem)
		}
		if f.Incomplete > 0 {
			result.Problems = append(result.Problems, fmt.Sprintf("%s: %d journeys are incomplete and in no figure: %s", form, f.Incomplete, m.why))
		}
	}
	result.Comparisons, result.Warnings = compareForms(r.Forms, measured)
	result.Warnings = append(r.warnings(generator, found), result.Warnings...)
	if r.env.jaeger != nil {
		r.reportJaeger(result, verdicts)
	}
	return result
}

// warnings are what a reader must know to read the figures right.
func (r *running) warnings(generator Generator, found evidence) []string {
	texts := []string{}
	if generator.Late() {
		texts = append(texts, fmt.Sprintf("the generator started orders late (p99 %.1f ms over %g ms at %g orders/s): response times are partly its own; lower --rate",
			generator.StartLagP99, float64(lateStart), generator.Rate))
	}
	rules := map[journey.RuleID]int{}
	example := map[journey.RuleID]string{}
	for _, w := range found.set.Warnings() {
		rules[w.Rule] += 1 + w.More
		example[w.Rule] = w.Text
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		texts = append(texts, fmt.Sprintf("%d × %s: %s", rules[rule], rule, strings.TrimSuffix(example[rule], ".")))
	}
	return texts
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// relation is what the manifest says of how consumers' spans refer to producers'.
func (c Config) relation() string {
	if c.Kotel {
		return "kotel"
	}
	return c.Relation.String()
}
