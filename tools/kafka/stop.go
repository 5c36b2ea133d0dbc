//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// stop asks the broker of b's folder to shut down and waits until its process is gone. No broker there is success as well.
func stop(ctx context.Context, b broker, _, stderr io.Writer) error {
	p, target, err := b.find()
	if err != nil {
		return err
	}
	if target == nil {
		_, _ = fmt.Fprintf(stderr, "kafka: not running (%s)\n", b.dir)
		return nil
	}
	defer func() { _ = target.Release() }()
	if err := target.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop pid %d: %w", p.pid, err)
	}
	for {
		lock, err := b.lock()
		if err == nil {
			_, _ = fmt.Fprintf(stderr, "kafka: stopped pid %d; its data stays in %s\n", p.pid, b.data())
			return errors.Join(b.removePID(), lock.Close())
		}
		if !errors.Is(err, errHeld) {
			return err
		}
		if sleep(ctx, pause) != nil {
			return fmt.Errorf("pid %d did not end: %w; its log is %s, and `kill -9 %d` ends it", p.pid, context.Cause(ctx), b.log(), p.pid)
		}
	}
}

// status prints the address of the broker of b's folder; it is an error when none runs, or when it does not answer.
func status(ctx context.Context, b broker, stdout, stderr io.Writer) error {
	p, target, err := b.find()
	if err != nil {
		return err
	}
	if target == nil {
		return fmt.Errorf("not running (%s)", b.dir)
	}
	if err := errors.Join(target.Release(), ping(ctx, p.address)); err != nil {
		return fmt.Errorf("pid %d runs and %s does not answer: %w; its log is %s", p.pid, p.address, err, b.log())
	}
	_, _ = fmt.Fprintf(stderr, "kafka: running, pid %d, log %s\n", p.pid, b.log())
	_, _ = fmt.Fprintln(stdout, p.address)
	return nil
}

// find returns the broker that runs in b's folder, with a handle on its process, or no handle when none runs. The handle is taken
// before the last look at the lock: on Linux it stays with that very process, whoever gets the pid afterwards.
func (b broker) find() (process, *os.Process, error) {
	p, readErr := b.readPID()
	var target *os.Process
	if readErr == nil {
		var err error
		if target, err = os.FindProcess(p.pid); err != nil {
			return process{}, nil, err
		}
	}
	lock, err := b.lock()
	if err == nil { // nobody's: what the pid file says, if it is there, is about a broker that was killed
		err = errors.Join(b.removePID(), lock.Close())
		if target != nil {
			err = errors.Join(err, target.Release())
		}
		return process{}, nil, err
	}
	if errors.Is(err, fs.ErrNotExist) { // no such folder
		return process{}, nil, nil
	}
	if !errors.Is(err, errHeld) {
		return process{}, nil, err
	}
	if readErr != nil {
		return process{}, nil, fmt.Errorf("a broker of %s is just being started or stopped, try again: %w", b.dir, readErr)
	}
	return p, target, nil
}
