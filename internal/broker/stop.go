//go:build linux || darwin

package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"tracelab/internal/flock"
	"tracelab/internal/poll"
)

// Stop asks the broker of b's folder to shut down and waits until its process is gone. No broker there is success as well.
func (b Broker) Stop(ctx context.Context, progress io.Writer) error {
	p, target, err := b.find()
	if err != nil {
		return err
	}
	if target == nil {
		_, _ = fmt.Fprintf(progress, "kafka: not running (%s)\n", b.Dir)
		return nil
	}
	defer func() { _ = target.Release() }()
	if err := target.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop pid %d: %w", p.PID, err)
	}
	lock, err := flock.Wait(ctx, b.LockFile())
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		return fmt.Errorf("pid %d did not end: %w; its log is %s, and `kill -9 %d` ends it", p.PID, unmet.Cause, b.Log(), p.PID)
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(progress, "kafka: stopped pid %d; its data stays in %s\n", p.PID, b.data())
	return errors.Join(b.removePID(), lock.Close())
}

// Status returns the broker of b's folder; it is an error when none runs, or when it does not answer.
func (b Broker) Status(ctx context.Context, progress io.Writer) (Process, error) {
	p, target, err := b.find()
	if err != nil {
		return Process{}, err
	}
	if target == nil {
		return Process{}, fmt.Errorf("not running (%s)", b.Dir)
	}
	if err := errors.Join(target.Release(), ping(ctx, p.Address)); err != nil {
		return Process{}, fmt.Errorf("pid %d runs and %s does not answer: %w; its log is %s", p.PID, p.Address, err, b.Log())
	}
	_, _ = fmt.Fprintf(progress, "kafka: running, pid %d, log %s\n", p.PID, b.Log())
	return p, nil
}

// find returns the broker that runs in b's folder, with a handle on its process, or no handle when none runs. A pid file without a broker is about one that
// was killed.
func (b Broker) find() (Process, *os.Process, error) {
	p, unread := b.readPID()
	target, err := flock.Owner(b.LockFile(), "a broker of "+b.Dir, p.PID, unread, b.removePID)
	if target == nil {
		p = Process{}
	}
	return p, target, err
}
