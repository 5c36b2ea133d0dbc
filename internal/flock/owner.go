//go:build linux || darwin

package flock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"tracelab/internal/poll"
)

// Owner returns a handle on the process that holds the lock of that name and wrote pid into a file, or nil when nobody holds it. Unread is why the file could not be
// read: then a held lock means that its owner, such as "a broker of DIR", is just being started or stopped, which is an error. The handle is taken before the
// look at the lock: on Linux it stays with that very process, whoever gets the pid afterwards. When nobody holds the lock, left clears away what an owner that
// was killed has left, under the lock.
func Owner(name, owner string, pid int, unread error, left func() error) (*os.Process, error) {
	var target *os.Process
	if unread == nil {
		var err error
		if target, err = os.FindProcess(pid); err != nil {
			return nil, err
		}
	}
	lock, err := Try(name)
	if err == nil {
		err = errors.Join(left(), lock.Close())
		if target != nil {
			err = errors.Join(err, target.Release())
		}
		return nil, err
	}
	if errors.Is(err, fs.ErrNotExist) { // no such folder
		return nil, nil
	}
	if !errors.Is(err, ErrHeld) {
		return nil, err
	}
	if unread != nil {
		return nil, fmt.Errorf("%s is just being started or stopped, try again: %w", owner, unread)
	}
	return target, nil
}

// End sends a signal to a process and waits until the lock of that name is free. It returns the lock.
func End(ctx context.Context, target *os.Process, signal os.Signal, name string) (*os.File, error) {
	if err := target.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return nil, fmt.Errorf("stop pid %d: %w", target.Pid, err)
	}
	lock, err := Wait(ctx, name)
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		return nil, fmt.Errorf("pid %d did not end: %w", target.Pid, unmet.Cause)
	}
	return lock, err
}
