//go:build linux || darwin

package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"tracelab/internal/flock"
)

// Stop asks the node of n's folder to shut down and waits until its processes are gone. No node there is success as well.
func (n Node) Stop(ctx context.Context, talk io.Writer) error {
	p, target, err := n.find(ctx)
	if err != nil {
		return err
	}
	if target == nil {
		_, _ = fmt.Fprintf(talk, "rabbitmq: not running (%s)\n", n.Dir)
		return nil
	}
	defer func() { _ = target.Release() }()
	if err := end(ctx, target, n.LockFile()); err != nil {
		return fmt.Errorf("%w; its log is %s, and `kill -9 %d` ends it", err, n.Log(), p.PID)
	}
	_, _ = fmt.Fprintf(talk, "rabbitmq: stopped pid %d; its data stays in %s\n", p.PID, n.Dir)
	return n.endMapper(ctx)
}

// Kill ends the node of n's folder at once (SIGKILL), as a crash does, and waits until its processes are gone.
func (n Node) Kill(ctx context.Context) error {
	p, target, err := n.find(ctx)
	if err != nil {
		return err
	}
	if target == nil {
		return fmt.Errorf("not running (%s)", n.Dir)
	}
	defer func() { _ = target.Release() }()
	if err := target.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill pid %d: %w", p.PID, err)
	}
	lock, err := flock.Wait(ctx, n.LockFile())
	if err != nil {
		return fmt.Errorf("kill pid %d: %w", p.PID, err)
	}
	return errors.Join(lock.Close(), n.endMapper(ctx))
}

// end asks a process to end (SIGTERM) and waits until it has released its lock.
func end(ctx context.Context, target *os.Process, lockFile string) error {
	lock, err := flock.End(ctx, target, syscall.SIGTERM, lockFile)
	if err != nil {
		return err
	}
	return lock.Close()
}

// endMapper ends the port mapper of a node that has ended, if it runs, and removes the pid file.
func (n Node) endMapper(ctx context.Context) error {
	p, readErr := n.readPID()
	if readErr == nil {
		target, err := os.FindProcess(p.Mapper) // before the look at the lock: on Linux it stays with that very process
		if err != nil {
			return err
		}
		defer func() { _ = target.Release() }()
		lock, err := flock.Try(n.mapperLock())
		switch {
		case err == nil: // nobody's: the process is another one
			err = lock.Close()
		case errors.Is(err, flock.ErrHeld):
			err = end(ctx, target, n.mapperLock())
		}
		if err != nil {
			return fmt.Errorf("port mapper: %w", err)
		}
	}
	return n.removePID()
}

// Status returns the node of n's folder; it is an error when none runs, or when it does not answer.
func (n Node) Status(ctx context.Context, talk io.Writer) (Process, error) {
	p, target, err := n.find(ctx)
	if err != nil {
		return Process{}, err
	}
	if target == nil {
		return Process{}, fmt.Errorf("not running (%s)", n.Dir)
	}
	if err := errors.Join(target.Release(), Ping(ctx, p.Address)); err != nil {
		return Process{}, fmt.Errorf("pid %d runs and %s does not answer: %w; its log is %s", p.PID, p.Address, err, n.Log())
	}
	_, _ = fmt.Fprintf(talk, "rabbitmq: running, pid %d, log %s\n", p.PID, n.Log())
	return p, nil
}

// find returns the node that runs in n's folder, with a handle on its process, or no handle when none runs; then it ends the port mapper that
// a killed node has left, and removes the pid file.
func (n Node) find(ctx context.Context) (Process, *os.Process, error) {
	p, unread := n.readPID()
	target, err := flock.Owner(n.LockFile(), "a node of "+n.Dir, p.PID, unread, func() error { return n.endMapper(ctx) })
	if target == nil {
		p = Process{}
	}
	return p, target, err
}
