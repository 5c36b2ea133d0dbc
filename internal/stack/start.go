//go:build linux || darwin

package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tracelab/internal/flock"
	"tracelab/internal/parts"
)

// Options say where a stack is and how it starts.
type Options struct {
	Root      string    // the checkout; parts.Root finds it
	State     string    // the stack's folder, see the package's comment
	FreePorts bool      // for tests: not the ports of .env
	Watch     bool      // with compose's profile watch: the collector writes to Kafka, and a watcher judges
	Progress  io.Writer // progress, one line a part
}

// How long one part may take. Building is counted in neither.
const (
	healthyWithin = time.Minute     // after its process has started
	startWithin   = 5 * time.Minute // all in all: the first start of Kafka fetches it
)

// ErrRuns reports that the stack of that folder runs already.
var ErrRuns = errors.New("the stack runs already")

// Start starts everything in the order of compose's depends_on, each part healthy before the next begins, and runs compose's
// one-shots in their places. When a part fails, or ctx ends, what was started is stopped again, and the error names the part and shows the end of its log.
// The processes outlive this one: Stop ends them. Where some parts of a stack run and others have ended, Start starts those again, as they
// were started before, and leaves the rest alone. When all run it returns their state, and ErrRuns.
func Start(ctx context.Context, o Options) (State, error) {
	l := layout{root: o.Root, state: o.State}
	if err := os.MkdirAll(filepath.Join(l.state, "logs"), 0o755); err != nil {
		return State{}, err
	}
	lock, err := flock.Try(filepath.Join(l.state, "stack.lock"))
	if errors.Is(err, flock.ErrHeld) {
		return State{}, fmt.Errorf("%s is being started or stopped by another process: try again when that has ended", l.state)
	}
	if err != nil {
		return State{}, err
	}
	defer func() { _ = lock.Close() }()
	old, ended, err := l.whatEnded()
	switch {
	case err != nil:
		return State{}, err
	case len(old.Parts) > 0 && len(ended) == 0:
		return old, ErrRuns
	case len(ended) < len(old.Parts):
		return l.startAgain(ctx, old, ended, o.Progress)
	}
	p, err := prepare(ctx, o, l)
	if err != nil {
		return State{}, err
	}
	state := State{LeftOut: p.leftOut, Addresses: p.addresses}
	for _, s := range p.steps {
		if err := l.startStep(ctx, s, &state, o.Progress); err != nil {
			return State{}, errors.Join(fmt.Errorf("start %s: %w", s.name, err), l.undo(ctx, state, o.Progress))
		}
		if s.name == kafka && o.Watch {
			if err := p.makeInput(ctx, s.address); err != nil {
				return State{}, errors.Join(err, l.undo(ctx, state, o.Progress))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.leftOut)) {
		say(o.Progress, "%-15s left out: no program here runs %s", name, p.leftOut[name])
	}
	return state, nil
}

// prepare reads compose.yaml, finds the addresses, and finds or builds the programs, before anything runs.
func prepare(ctx context.Context, o Options, l layout) (plan, error) {
	variables, profiles, noRabbitMQ := optional(os.LookupEnv)
	if noRabbitMQ != nil {
		say(o.Progress, "%-15s left out: %v", rabbitmqService, noRabbitMQ)
	}
	if o.Watch {
		variables, profiles = append(variables, "COLLECTOR_TO_KAFKA=kafka"), append(profiles, watchProfile)
	}
	project, err := Load(ctx, o.Root, append(append(os.Environ(), "COMPOSE_PROFILES=full"), variables...), append(profiles, "full", runService)...)
	if err != nil {
		return plan{}, err
	}
	book, err := newAddressBook(project, o.FreePorts)
	if err != nil {
		return plan{}, err
	}
	p, err := makePlan(project, book, l)
	if err != nil {
		return plan{}, err
	}
	needed := func(service string) bool { return p.leftOut[service] == "" }
	if err := book.checkFree(needed); err != nil {
		return plan{}, err
	}
	began := time.Now()
	say(o.Progress, "finding the programs, or building them: the first time that takes minutes")
	if err := p.findPrograms(ctx, l, parts.Programs{Progress: o.Progress}); err != nil {
		return plan{}, err
	}
	say(o.Progress, "programs are there (%s)", time.Since(began).Round(100*time.Millisecond))
	return p, nil
}

// findPrograms finds or builds each program once, so that all services are the same build, whatever is edited meanwhile.
func (p plan) findPrograms(ctx context.Context, l layout, from parts.Programs) error {
	found := map[string]string{}
	for i, s := range p.steps {
		about, ok := programs[s.image]
		if !ok {
			continue // a server
		}
		if found[s.image] == "" {
			path, err := about.find(ctx, l, from)
			if err != nil {
				return err
			}
			found[s.image] = path
		}
		p.steps[i].path = found[s.image]
	}
	return nil
}

// startStep starts one process, or runs one one-shot to its end.
func (l layout) startStep(ctx context.Context, s step, state *State, progress io.Writer) error {
	if err := l.layOut(s); err != nil {
		return err
	}
	if s.once {
		began := time.Now()
		if err := l.runOnce(ctx, s); err != nil {
			return err
		}
		say(progress, "%-15s done in %s", s.name, since(began))
		return nil
	}
	part, err := l.startPart(ctx, Part{Name: s.name, Health: s.health, Log: l.log(s.name), Grace: s.grace, Address: s.address, Metrics: s.metrics, Path: s.path, Args: s.args, Env: s.env}, progress)
	if err != nil {
		return err
	}
	state.Parts = append(state.Parts, part)
	return l.writeState(*state)
}

// startPart starts a part's process and waits until it is healthy. With an error nothing of it runs.
func (l layout) startPart(ctx context.Context, part Part, progress io.Writer) (Part, error) {
	part.Started = time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("not started within %s", startWithin))
	defer cancel()
	var err error
	if part.Address != "" {
		part.PID, part.Log, err = l.startServer(ctx, part, progress)
	} else {
		part.PID, err = l.launch(ctx, part)
	}
	if err != nil {
		return part, err
	}
	part.Took = time.Since(part.Started)
	is := "healthy"
	if part.Health == "" && part.Address == "" { // nothing says more than that it runs
		is = "started"
	}
	say(progress, "%-15s %s in %s, pid %d, log %s", part.Name, is, since(part.Started), part.PID, part.Log)
	return part, nil
}

// layOut makes the folders and files that a step needs, and begins its log anew.
func (l layout) layOut(s step) error {
	for _, folder := range s.folders {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	for path, text := range s.files {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(l.log(s.name), nil, 0o644)
}

// launch starts a process that outlives this one, holding its lock, and returns its pid when it is healthy, or at once when it has
// no page for its health.
func (l layout) launch(ctx context.Context, part Part) (int, error) {
	lock, err := flock.Try(l.lock(part.Name))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", l.lock(part.Name), err)
	}
	defer func() { _ = lock.Close() }() // the process has a copy
	process, err := parts.Start(ctx, parts.Command{Name: part.Name, Path: part.Path, Args: part.Args, Env: part.Env, Dir: l.state, Log: part.Log, Detached: true, Files: []*os.File{lock}})
	if err != nil {
		return 0, err
	}
	healthy, cancel := context.WithTimeoutCause(ctx, healthyWithin, fmt.Errorf("not healthy within %s", healthyWithin))
	defer cancel()
	if part.Health == "" {
		return process.PID(), nil
	}
	if err := process.AwaitHTTP(healthy, part.Health); err != nil {
		return 0, errors.Join(fmt.Errorf("%w\nits log %s ends with\n%s", err, part.Log, process.LogTail(10)), process.Kill())
	}
	return process.PID(), nil
}

// runOnce runs a one-shot and waits for its end.
func (l layout) runOnce(ctx context.Context, s step) error {
	process, err := parts.Start(ctx, parts.Command{Name: s.name, Path: s.path, Args: s.args, Env: s.env, Dir: l.state, Log: l.log(s.name)})
	if err != nil {
		return err
	}
	<-process.Done()
	return process.Err()
}

// startAgain starts the parts that have ended. One that cannot be started leaves the others as they are.
func (l layout) startAgain(ctx context.Context, state State, ended []string, progress io.Writer) (State, error) {
	for i, part := range state.Parts {
		if !slices.Contains(ended, part.Name) {
			continue
		}
		say(progress, "%-15s had ended: starting it again", part.Name)
		part, err := l.startPart(ctx, part, progress)
		if err != nil {
			return State{}, fmt.Errorf("start %s again: %w", part.Name, err)
		}
		state.Parts[i] = part
		if err := l.writeState(state); err != nil {
			return State{}, err
		}
	}
	return state, nil
}

// undo stops what a start that failed has begun.
func (l layout) undo(ctx context.Context, state State, progress io.Writer) error {
	say(progress, "a part failed: stopping what was started")
	return l.stopParts(context.WithoutCancel(ctx), state, progress)
}

// whatEnded returns the state that a start has left, and the names of the parts of it that do not run any more.
func (l layout) whatEnded() (state State, ended []string, err error) {
	if state, err = l.readState(); err != nil {
		return state, nil, err
	}
	for _, part := range state.Parts {
		runs, err := l.runs(part.Name)
		if err != nil {
			return state, nil, err
		}
		if !runs {
			ended = append(ended, part.Name)
		}
	}
	return state, ended, nil
}

func since(t time.Time) time.Duration { return time.Since(t).Round(10 * time.Millisecond) }

func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...) // progress only, so a failure changes nothing
}
