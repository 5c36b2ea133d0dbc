//go:build linux || darwin

package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tracelab/internal/parts"
)

// Options say where a stack is and how it starts.
type Options struct {
	Root      string    // the checkout; parts.Root finds it
	State     string    // the stack's folder, see the package's comment
	FreePorts bool      // for tests: not the ports of .env
	Talk      io.Writer // progress, one line a part
}

// patience is how long one part may take until it is healthy. Building is not counted in it.
const patience = time.Minute

// ErrRuns says that the stack of that folder runs already.
var ErrRuns = errors.New("the stack runs already")

// Start starts everything in the order of compose's depends_on, each part healthy before the next begins, and runs compose's
// one-shots in their places. When a part fails, or ctx ends, what was started is stopped again, and the error names the part and shows the end of its log.
// The processes outlive this one: Stop ends them. With ErrRuns it returns the state of the stack that runs.
func Start(ctx context.Context, o Options) (State, error) {
	l := layout{root: o.Root, state: o.State}
	if err := os.MkdirAll(filepath.Join(l.state, "logs"), 0o755); err != nil {
		return State{}, err
	}
	lock, err := takeLock(filepath.Join(l.state, "stack.lock"))
	if errors.Is(err, errHeld) {
		return State{}, fmt.Errorf("%s is being started or stopped by another process: try again when that has ended", l.state)
	}
	if err != nil {
		return State{}, err
	}
	defer func() { _ = lock.Close() }()
	if err := l.nothingRuns(); err != nil {
		old, readErr := l.readState()
		return old, errors.Join(err, readErr)
	}
	p, err := prepare(ctx, o, l)
	if err != nil {
		return State{}, err
	}
	state := State{LeftOut: p.leftOut, Addresses: p.addresses}
	for _, s := range p.steps {
		if err := l.startStep(ctx, s, &state, o.Talk); err != nil {
			return State{}, errors.Join(fmt.Errorf("start %s: %w", s.name, err), l.undo(ctx, state, o.Talk))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.leftOut)) {
		say(o.Talk, "%-15s left out: no program here runs %s", name, p.leftOut[name])
	}
	return state, nil
}

// prepare reads compose.yaml, finds the addresses, and finds or builds the programs, before anything runs.
func prepare(ctx context.Context, o Options, l layout) (plan, error) {
	project, err := Load(ctx, o.Root, append(os.Environ(), "COMPOSE_PROFILES=full"), "full", runService)
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
	if err := p.findPrograms(ctx, l); err != nil {
		return plan{}, err
	}
	say(o.Talk, "programs are there (%s)", time.Since(began).Round(100*time.Millisecond))
	return p, nil
}

// findPrograms finds or builds each program once, so that all services are the same build, whatever is edited meanwhile.
func (p plan) findPrograms(ctx context.Context, l layout) error {
	found := map[string]string{}
	for i, s := range p.steps {
		about, ok := programs[s.image]
		if !ok {
			continue // tools/kafka
		}
		if found[s.image] == "" {
			path, err := about.find(ctx, l)
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
func (l layout) startStep(ctx context.Context, s step, state *State, talk io.Writer) error {
	if err := l.layOut(s); err != nil {
		return err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, patience+2*time.Minute, errors.New("it takes too long"))
	defer cancel()
	part := Part{Name: s.name, Started: began, Health: s.health, Log: l.log(s.name), Grace: s.grace}
	switch {
	case s.image == kafkaImage:
		pid, err := l.startKafka(ctx, s)
		if err != nil {
			return err
		}
		part.PID, part.Log = pid, filepath.Join(l.kafka(), "kafka.log")
	case s.once:
		if err := l.runOnce(ctx, s); err != nil {
			return err
		}
		say(talk, "%-15s done in %s", s.name, since(began))
		return nil
	default:
		process, err := l.launch(ctx, s)
		if err != nil {
			return err
		}
		part.PID = process.PID()
		state.Parts = append(state.Parts, part)
		healthy, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not healthy within %s", patience))
		defer cancel()
		if err := process.AwaitHTTP(healthy, s.health); err != nil {
			return fmt.Errorf("%w\nits log ends with\n%s", err, process.LogTail(10))
		}
		state.Parts = state.Parts[:len(state.Parts)-1]
	}
	part.Took = time.Since(began)
	state.Parts = append(state.Parts, part)
	say(talk, "%-15s healthy in %s, pid %d, log %s", s.name, since(began), part.PID, part.Log)
	return l.writeState(*state)
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

// launch starts a process that outlives this one, holding its lock.
func (l layout) launch(ctx context.Context, s step) (*parts.Process, error) {
	lock, err := takeLock(l.lock(s.name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.lock(s.name), err)
	}
	defer func() { _ = lock.Close() }()
	return parts.Start(ctx, parts.Command{Name: s.name, Path: s.path, Args: s.args, Env: s.env, Dir: l.state, Log: l.log(s.name), Detached: true, Files: []*os.File{lock}})
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

// startKafka lets tools/kafka start the broker, and returns its pid.
func (l layout) startKafka(ctx context.Context, s step) (int, error) {
	_, port, _ := strings.Cut(s.address, ":")
	if err := l.toolsKafka(ctx, "start", "-state", l.kafka(), "-port", port); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Join(l.kafka(), "kafka.pid"))
	if err != nil {
		return 0, err
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		return 0, fmt.Errorf("the pid file of tools/kafka: %w", err)
	}
	return pid, nil
}

// toolsKafka runs a command of tools/kafka.
func (l layout) toolsKafka(ctx context.Context, args ...string) error {
	path, err := l.build(ctx, "tools/kafka")
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// undo stops what a start that failed has begun.
func (l layout) undo(ctx context.Context, state State, talk io.Writer) error {
	say(talk, "a part failed: stopping what was started")
	return l.stopParts(context.WithoutCancel(ctx), state, talk)
}

// nothingRuns returns ErrRuns when the whole stack runs, and says what to do when some of it does.
func (l layout) nothingRuns() error {
	state, err := l.readState()
	if err != nil || len(state.Parts) == 0 {
		return err
	}
	var alive, ended []string
	for _, part := range state.Parts {
		switch runs, err := l.runs(part.Name); {
		case err != nil:
			return err
		case runs:
			alive = append(alive, part.Name)
		default:
			ended = append(ended, part.Name)
		}
	}
	switch {
	case len(alive) == 0:
		return nil
	case len(ended) == 0:
		return ErrRuns
	default:
		return fmt.Errorf("some of the stack runs (%s) and some has ended (%s): stop it first", strings.Join(alive, ", "), strings.Join(ended, ", "))
	}
}

func since(t time.Time) time.Duration { return time.Since(t).Round(10 * time.Millisecond) }

func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...) // progress: nobody's result
}

// healthy asks once.
func healthy(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		err = errors.New(answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}
