//go:build linux || darwin

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"tracelab/internal/flock"
	"tracelab/internal/poll"
)

// Stop asks the server of s's folder to shut down, and waits until it is gone. Clients are disconnected. No server there is success as well.
func (s Server) Stop(ctx context.Context, talk io.Writer) error {
	p, target, err := s.find()
	if err != nil {
		return err
	}
	if target == nil {
		_, _ = fmt.Fprintf(talk, "postgres: not running (%s)\n", s.Dir)
		return nil
	}
	defer func() { _ = target.Release() }()
	if err := s.end(ctx, target, syscall.SIGINT); err != nil {
		return fmt.Errorf("%w; its log is %s, and `kill -9 %d` ends it", err, s.Log(), p.PID)
	}
	_, _ = fmt.Fprintf(talk, "postgres: stopped pid %d; its data stays in %s\n", p.PID, s.Dir)
	return nil
}

// Kill ends the server of s's folder at once (SIGKILL), as a crash does, and waits until it is gone.
func (s Server) Kill(ctx context.Context) error {
	_, target, err := s.find()
	if err != nil {
		return err
	}
	if target == nil {
		return fmt.Errorf("not running (%s)", s.Dir)
	}
	defer func() { _ = target.Release() }()
	return s.end(ctx, target, syscall.SIGKILL)
}

// end sends a signal and waits until the server's processes have released their lock.
func (s Server) end(ctx context.Context, target *os.Process, signal syscall.Signal) error {
	if err := target.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop pid %d: %w", target.Pid, err)
	}
	lock, err := flock.Wait(ctx, s.LockFile())
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		return fmt.Errorf("pid %d did not end: %w", target.Pid, unmet.Cause)
	}
	if err != nil {
		return err
	}
	return errors.Join(s.removePID(), lock.Close())
}

// Status returns the server of s's folder; it is an error when none runs, or when it does not answer.
func (s Server) Status(ctx context.Context, talk io.Writer) (Process, error) {
	p, target, err := s.find()
	if err != nil {
		return Process{}, err
	}
	if target == nil {
		return Process{}, fmt.Errorf("not running (%s)", s.Dir)
	}
	if err := errors.Join(target.Release(), Ping(ctx, p.Address)); err != nil {
		return Process{}, fmt.Errorf("pid %d runs and %s does not answer: %w; its log is %s", p.PID, p.Address, err, s.Log())
	}
	_, _ = fmt.Fprintf(talk, "postgres: running, pid %d, log %s\n", p.PID, s.Log())
	return p, nil
}

// find returns the server that runs in s's folder, with a handle on its process, or no handle when none runs. The handle is taken before the last
// look at the lock: on Linux it stays with that very process, whoever gets the pid afterwards.
func (s Server) find() (Process, *os.Process, error) {
	p, readErr := s.readPID()
	var target *os.Process
	if readErr == nil {
		var err error
		if target, err = os.FindProcess(p.PID); err != nil {
			return Process{}, nil, err
		}
	}
	lock, err := flock.Try(s.LockFile())
	if err == nil { // nobody's: the pid file, if it is there, is about a server that was killed
		err = errors.Join(s.removePID(), lock.Close())
		if target != nil {
			err = errors.Join(err, target.Release())
		}
		return Process{}, nil, err
	}
	if errors.Is(err, fs.ErrNotExist) { // no such folder
		return Process{}, nil, nil
	}
	if !errors.Is(err, flock.ErrHeld) {
		return Process{}, nil, err
	}
	if readErr != nil {
		return Process{}, nil, fmt.Errorf("a server of %s is just being started or stopped, try again: %w", s.Dir, readErr)
	}
	return p, target, nil
}
