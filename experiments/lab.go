package experiments

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// Lab runs labs for one claim, and remembers what the gates need to know of them.
type Lab struct {
	session *session
	claim   Claim
	size    Size

	mu       sync.Mutex
	used     []*Ran // by this claim, shared ones included
	began    int    // labs
	gates    []verdict.Gate
	steady   *verdict.Steady
	evidence *Evidence
}

// Arm is one side of an experiment: a name, and a lab.
type Arm struct {
	Name   string
	Config lab.Config
	Each   func(*lab.Config) // changes the lab of each run; it may be nil
}

// Size is how much the claim is to do.
func (l *Lab) Size() Size { return l.size }

// Config is a lab of the claim's size, with the given forms of a flow. Whoever asks for it adds what is special.
func (l *Lab) Config(flow *flows.Flow, forms ...services.Form) lab.Config {
	s := l.session.Settings
	return lab.Config{
		Flow: flow, Forms: forms, Orders: l.size.Orders, Rate: l.size.Rate, Seed: l.size.Seed, WarmUp: 3, Windows: 4, OneRate: true,
		Kafka: s.Kafka, Target: s.Target, Jaeger: s.Jaeger, ReceiveOTLP: s.ReceiveOTLP, Program: s.Program, Version: s.Version, Logger: s.Logger, Network: s.network,
	}
}

// Run runs one lab.
func (l *Lab) Run(ctx context.Context, config lab.Config) (*Ran, error) {
	if l.session.tamper != nil {
		l.session.tamper(&config)
	}
	ran, err := l.session.run(ctx, config, l.progress())
	if err != nil {
		return nil, err
	}
	l.use(ran)
	return ran, nil
}

// use notes a run whose figures the claim reads.
func (l *Lab) use(ran *Ran) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = append(l.used, ran)
}

// progress tells how far the claim's next lab has come.
func (l *Lab) progress() func(lab.Progress) {
	l.mu.Lock()
	l.began++
	number := l.began
	l.mu.Unlock()
	return func(p lab.Progress) { l.session.tell(l.claim, number, p) }
}

// Repeat runs each arm once for each seed, the arms in an order that the seed draws, up to so many labs side by side. It returns the runs
// by arm, in the order of the seeds.
func (l *Lab) Repeat(ctx context.Context, sideBySide int, arms ...Arm) (map[string][]*Ran, error) {
	type task struct {
		arm  Arm
		seed int
	}
	var tasks []task
	runs := map[string][]*Ran{}
	for seed := range l.size.Seeds {
		order := rand.New(rand.NewPCG(l.size.Seed, uint64(seed))).Perm(len(arms))
		for _, i := range order {
			tasks = append(tasks, task{arms[i], seed})
		}
	}
	for _, arm := range arms {
		runs[arm.Name] = make([]*Ran, l.size.Seeds)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Topics of a broker are named after the run: those of labs that begin together with one seed would be the same. Services elsewhere send their spans to
	// one place.
	if len(l.session.Kafka) > 0 || l.session.Target != "" {
		sideBySide = 1
	}
	places := make(chan struct{}, max(1, sideBySide))
	errs := make([]error, len(tasks))
	var running sync.WaitGroup
	for i, t := range tasks {
		places <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-places }()
			config := t.arm.Config
			config.Seed = l.size.Seed + uint64(t.seed)
			if t.arm.Each != nil {
				t.arm.Each(&config)
			}
			if runs[t.arm.Name][t.seed], errs[i] = l.Run(ctx, config); errs[i] != nil {
				errs[i] = fmt.Errorf("%s, seed %d: %w", t.arm.Name, config.Seed, errs[i])
				cancel()
			}
		})
	}
	running.Wait()
	if err := firstOf(errs); err != nil {
		return nil, err
	}
	return runs, ctx.Err()
}

// firstOf returns the first error that is not the echo of another one.
func firstOf(errs []error) error {
	var first error
	for _, err := range errs {
		if err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	return first
}

// Gate adds a condition of the claim's own.
func (l *Lab) Gate(g verdict.Gate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gates = append(l.gates, g)
}

// Steady has the gate on the time before the fault checked, on the waits of each run in milliseconds: they may drift by half of δ, where that is a
// time, or by a twentieth.
func (l *Lab) Steady(runs [][]float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steady = &verdict.Steady{Runs: runs, Band: verdict.Band(milliseconds(l.claim.Delta.duration()), middle(Values(slices.Concat(runs...)).known()))}
}

// Corners is the one calm run that the claims share: the flow order in its four corners.
func (l *Lab) Corners(ctx context.Context) (*Ran, error) {
	s := l.session
	if s.corners == nil {
		flow, corners, err := flows.Order().WithCorners()
		if err != nil {
			return nil, err
		}
		config := l.Config(flow, corners.Forms()...)
		if s.tamper != nil {
			s.tamper(&config)
		}
		ran, err := s.run(ctx, config, l.progress())
		if err != nil {
			return nil, fmt.Errorf("the shared run of the corners: %w", err)
		}
		ran.shared, s.corners = true, ran
	}
	l.use(s.corners)
	return s.corners, nil
}

// session is one call of Run: what its claims share.
type session struct {
	Settings
	dir     string // of the results
	corners *Ran
	claims  []Claim
	at      int
	started time.Time // of the claim under way
	free    sync.Mutex
	labs    int
}

// run runs a lab and reads what came of it.
func (s *session) run(ctx context.Context, config lab.Config, progress func(lab.Progress)) (*Ran, error) {
	s.free.Lock()
	s.labs++
	number := s.labs
	config.Out = filepath.Join(s.dir, labsFolder, strconv.Itoa(number)) // of its own, since names of runs that begin together may be the same
	s.free.Unlock()
	if config.Store == onDisk {
		config.Store = s.storeOf(config.Out)
	}
	if len(config.Events)+len(config.Faults) > 0 { // what is done on purpose is no news
		config.Logger = slog.New(slog.DiscardHandler)
	}
	ran := &Ran{Config: config}
	var first, last sync.Once
	var began moment
	listens := config.Progress
	config.Progress = func(p lab.Progress) {
		switch p.Stage {
		case lab.StagePlacing:
			first.Do(func() { began = now() })
		case lab.StageSettling:
			last.Do(func() { ran.usage.add(began, now()) })
		}
		progress(p)
		if listens != nil {
			listens(p)
		}
	}
	result, err := lab.Run(ctx, config)
	if err != nil && number == 1 && len(s.Kafka) > 0 && ctx.Err() == nil {
		result, err = lab.Run(ctx, config) // a broker that was just started takes seconds for its first consumer groups
	}
	if err != nil {
		return nil, err
	}
	ran.Result = result
	return ran, ran.open()
}

// tell says how far a claim has come.
func (s *session) tell(c Claim, number int, p lab.Progress) {
	left := max(leastLeft, c.Budget-time.Since(s.started))
	for _, later := range s.claims[min(s.at+1, len(s.claims)):] {
		left += later.Budget
	}
	s.Progress(Progress{Claim: c.Name, At: s.at + 1, Of: len(s.claims), Stage: p.Stage, Lab: number, Answered: p.Answered, Orders: p.Orders, Left: left})
}
