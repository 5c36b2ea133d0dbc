//go:build linux || darwin

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"tracelab/internal/flock"
)

// Stop asks the server to shut down and waits until it is gone. No server there is success as well.
func (f Folder) Stop(ctx context.Context, progress io.Writer) error {
	p, target, err := f.find(ctx)
	if err != nil {
		return err
	}
	if target == nil {
		_, _ = fmt.Fprintf(progress, "%s: not running (%s)\n", f.Name, f.Dir)
		return nil
	}
	defer func() { _ = target.Release() }()
	lock, err := flock.End(ctx, target, f.Signal, f.LockFile())
	if err != nil {
		return fmt.Errorf("%w; its log is %s, and `kill -9 %d` ends it", err, f.Log(), p.PID)
	}
	_, _ = fmt.Fprintf(progress, "%s: stopped pid %d; its data stays in %s\n", f.Name, p.PID, f.Data)
	return errors.Join(f.clear(ctx), lock.Close())
}

// Kill ends the server at once (SIGKILL), as a crash does, and waits until it is gone.
func (f Folder) Kill(ctx context.Context) error {
	_, target, err := f.find(ctx)
	if err != nil {
		return err
	}
	if target == nil {
		return fmt.Errorf("not running (%s)", f.Dir)
	}
	defer func() { _ = target.Release() }()
	lock, err := flock.End(ctx, target, syscall.SIGKILL, f.LockFile())
	if err != nil {
		return err
	}
	return errors.Join(f.clear(ctx), lock.Close())
}

// Status returns the server that runs; it is an error when none does, or when it does not answer.
func (f Folder) Status(ctx context.Context, progress io.Writer) (Process, error) {
	p, target, err := f.find(ctx)
	if err != nil {
		return Process{}, err
	}
	if target == nil {
		return Process{}, fmt.Errorf("not running (%s)", f.Dir)
	}
	if err := errors.Join(target.Release(), f.Ping(ctx, p.Address)); err != nil {
		return Process{}, fmt.Errorf("pid %d runs and %s does not answer: %w; its log is %s", p.PID, p.Address, err, f.Log())
	}
	_, _ = fmt.Fprintf(progress, "%s: running, pid %d, log %s\n", f.Name, p.PID, f.Log())
	return p, nil
}

// find returns the server that runs, with a handle on its process, or no handle when none runs; then it clears what a killed one has left.
func (f Folder) find(ctx context.Context) (Process, *os.Process, error) {
	p, unread := f.read()
	target, err := flock.Owner(f.LockFile(), fmt.Sprintf("a %s of %s", f.Noun, f.Dir), p.PID, unread, func() error { return f.clear(ctx) })
	if target == nil {
		p = Process{}
	}
	return p, target, err
}
