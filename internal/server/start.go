//go:build linux || darwin

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"tracelab/internal/flock"
	"tracelab/internal/parts"
	"tracelab/internal/poll"
)

// pollInterval is the time between two looks at what another process does.
const pollInterval = 50 * time.Millisecond

// Start returns the server that runs in the folder, or calls begin to start one, and returns when it answers. begin hands the folder's lock on to
// the server's process. While another process holds the folder it may be about to answer, or about to end: Start waits for either. It writes lines
// for a person to progress.
func (f Folder) Start(ctx context.Context, progress io.Writer, begin func(ctx context.Context, lock *os.File) (Process, error)) (Process, error) {
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return Process{}, err
	}
	var lock *os.File
	var running Process
	err := poll.Until(ctx, pollInterval, func(ctx context.Context) (err error) {
		if lock, err = flock.Try(f.LockFile()); !errors.Is(err, flock.ErrHeld) {
			return poll.Stop(err)
		}
		if running, err = f.read(); err == nil {
			err = f.Ping(ctx, running.Address)
		}
		return err
	})
	switch _, unmet := errors.AsType[*poll.Unmet](err); {
	case unmet:
		return Process{}, fmt.Errorf("a %s of %s runs but does not answer: %w (`%s stop` ends it, its log is %s)", f.Noun, f.Dir, err, f.Name, f.Log())
	case err != nil:
		return Process{}, err
	case lock == nil:
		_, _ = fmt.Fprintf(progress, "%s: runs already, pid %d, log %s\n", f.Name, running.PID, f.Log())
		return running, nil
	}
	began := time.Now()
	var started Process
	err = f.clear(ctx) // what a server that was killed has left
	if err == nil {
		started, err = begin(ctx, lock)
	}
	if err := errors.Join(err, lock.Close()); err != nil { // the server's process has a copy of its own
		return Process{}, err
	}
	_, _ = fmt.Fprintf(progress, "%s: started in %.1f s, pid %d, log %s\n", f.Name, time.Since(began).Seconds(), started.PID, f.Log())
	return started, nil
}

// Run runs the server's program until it answers at the process's address. When it cannot, or ctx ends, neither the program nor a note of it is
// left; the helper is the caller's to end.
func (f Folder) Run(ctx context.Context, p Process, command parts.Command) (Process, error) {
	command.Name, command.Log = f.Name, f.Log()
	if err := os.WriteFile(f.Log(), nil, 0o644); err != nil {
		return Process{}, err
	}
	process, err := parts.Start(context.WithoutCancel(ctx), command) // ctx bounds the start
	if err != nil {
		return Process{}, err
	}
	p.PID = process.PID()
	err = f.write(p)
	if err == nil {
		err = poll.Until(ctx, pollInterval, func(ctx context.Context) error {
			err := f.Ping(ctx, p.Address)
			select {
			case <-process.Done(): // whoever answers is another program
				return poll.Stop(f.endedEarly(process))
			default:
				return err
			}
		})
	}
	if err == nil {
		return p, nil
	}
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		err = fmt.Errorf("%s does not answer at %s: %w: its log %s ends with\n%s", f.Name, p.Address, unmet.Cause, f.Log(), process.LogTail(20))
	}
	return Process{}, errors.Join(err, process.Kill(), f.forget())
}

// endedEarly says how a server ended that was still starting.
func (f Folder) endedEarly(p *parts.Process) error {
	if err := p.Err(); err != nil {
		return fmt.Errorf("while starting: %w", err)
	}
	return fmt.Errorf("while starting: %s ended with status 0; its log ends with\n%s", f.Name, p.LogTail(20))
}
