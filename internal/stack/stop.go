//go:build linux || darwin

package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"tracelab/internal/flock"
	"tracelab/internal/poll"
)

// Stop ends the processes of the stack in that folder, the last one that was started first: each gets SIGTERM and the time that compose gives it
// (stop_grace_period), then SIGKILL, which is an error. Nothing there is no error. Logs and volumes stay.
func Stop(ctx context.Context, o Options) error {
	l := layout{root: o.Root, state: o.State}
	if _, err := os.Stat(l.stateFile()); err != nil {
		say(o.Progress, "nothing was started in %s", l.state)
		return nil
	}
	lock, err := flock.Try(filepath.Join(l.state, "stack.lock"))
	if errors.Is(err, flock.ErrHeld) {
		return fmt.Errorf("%s is being started or stopped by another process: try again when that has ended", l.state)
	}
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	state, err := l.readState()
	if err != nil {
		return err
	}
	return l.stopParts(ctx, state, o.Progress)
}

func (l layout) stopParts(ctx context.Context, state State, progress io.Writer) error {
	var failed []error
	for _, part := range slices.Backward(state.Parts) {
		if err := l.stopPart(ctx, part, progress); err != nil {
			failed = append(failed, fmt.Errorf("stop %s: %w", part.Name, err))
		}
	}
	if len(failed) == 0 {
		failed = append(failed, os.RemoveAll(l.stateFile()), os.RemoveAll(l.addressesFile()))
	}
	return errors.Join(failed...)
}

func (l layout) stopPart(ctx context.Context, part Part, progress io.Writer) error {
	if err := l.end(ctx, part, progress); err != nil {
		return err
	}
	if after := servers[part.Name].after; after != nil {
		return after(ctx, l)
	}
	return nil
}

// end ends the part's process.
func (l layout) end(ctx context.Context, part Part, progress io.Writer) error {
	target, err := l.find(part)
	if err != nil {
		return err
	}
	if target == nil {
		say(progress, "%-15s had ended already", part.Name)
		return nil
	}
	defer func() { _ = target.Release() }()
	began := time.Now()
	if err := target.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	asked, cancel := context.WithTimeoutCause(ctx, part.Grace, fmt.Errorf("not within %s", part.Grace))
	defer cancel()
	if err := l.awaitEnd(asked, part.Name); err != nil {
		err = fmt.Errorf("pid %d did not end on SIGTERM and was killed: %w; its log is %s", part.PID, err, part.Log)
		return errors.Join(err, target.Kill(), l.awaitEnd(ctx, part.Name))
	}
	say(progress, "%-15s stopped in %s", part.Name, since(began))
	return nil
}

// awaitEnd waits until the part's process has given its lock back.
func (l layout) awaitEnd(ctx context.Context, name string) error {
	lock, err := flock.Wait(ctx, l.lock(name))
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		return unmet.Cause
	}
	if err != nil {
		return err
	}
	return lock.Close()
}
