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
	"tracelab/internal/server"
)

// Stop asks the node of n's folder to shut down and waits until its processes are gone. No node there is success as well.
func (n Node) Stop(ctx context.Context, progress io.Writer) error {
	return n.folder().Stop(ctx, progress)
}

// Kill ends the node of n's folder at once (SIGKILL), as a crash does, and waits until its processes are gone.
func (n Node) Kill(ctx context.Context) error { return n.folder().Kill(ctx) }

// Status returns the node of n's folder; it is an error when none runs, or when it does not answer.
func (n Node) Status(ctx context.Context, progress io.Writer) (Process, error) {
	p, err := n.folder().Status(ctx, progress)
	return Process{p}, err
}

// endMapper ends the port mapper of a node that has ended, if it runs.
func (n Node) endMapper(ctx context.Context, p server.Process) error {
	target, err := os.FindProcess(p.Helper) // before the look at the lock: on Linux it stays with that very process
	if err != nil {
		return err
	}
	defer func() { _ = target.Release() }()
	lock, err := flock.Try(n.mapperLock())
	if errors.Is(err, flock.ErrHeld) {
		lock, err = flock.End(ctx, target, syscall.SIGTERM, n.mapperLock())
	}
	if err != nil {
		return fmt.Errorf("port mapper: %w", err)
	}
	return lock.Close() // when nobody held it, the process is another one
}
