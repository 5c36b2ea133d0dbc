//go:build linux || darwin

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"tracelab/internal/flock"
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
	lock, err := flock.End(ctx, target, signal, s.LockFile())
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

// find returns the server that runs in s's folder, with a handle on its process, or no handle when none runs. A pid file without a server is about one that
// was killed.
func (s Server) find() (Process, *os.Process, error) {
	p, unread := s.readPID()
	target, err := flock.Owner(s.LockFile(), "a server of "+s.Dir, p.PID, unread, s.removePID)
	if target == nil {
		p = Process{}
	}
	return p, target, err
}
