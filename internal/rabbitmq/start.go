//go:build linux || darwin

package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"tracelab/internal/flock"
	"tracelab/internal/parts"
	"tracelab/internal/poll"
)

// pause is between two looks at something that other processes do.
const pause = 50 * time.Millisecond

// Start runs a node in n's folder until Stop, or finds the one that runs there, and returns when it answers. While another process holds the
// folder it may be about to answer, or about to end: Start waits for either. Progress goes to talk.
func (n Node) Start(ctx context.Context, talk io.Writer) (Process, error) {
	if err := os.MkdirAll(n.Dir, 0o755); err != nil {
		return Process{}, err
	}
	var lock *os.File
	var running Process
	err := poll.Until(ctx, pause, func(ctx context.Context) (err error) {
		if lock, err = flock.Try(n.LockFile()); !errors.Is(err, flock.ErrHeld) {
			return poll.Stop(err)
		}
		if running, err = n.readPID(); err == nil {
			err = Ping(ctx, running.Address)
		}
		return err
	})
	switch _, unmet := errors.AsType[*poll.Unmet](err); {
	case unmet:
		return Process{}, fmt.Errorf("a node of %s runs but does not answer: %w (`rabbitmq stop` ends it, its log is %s)", n.Dir, err, n.Log())
	case err != nil:
		return Process{}, err
	case lock == nil:
		_, _ = fmt.Fprintf(talk, "rabbitmq: runs already, pid %d, log %s\n", running.PID, n.Log())
		return running, nil
	}
	began := time.Now()
	started, err := n.startLocked(ctx, lock)
	if err := errors.Join(err, lock.Close()); err != nil { // the node has a copy of its own
		return Process{}, err
	}
	_, _ = fmt.Fprintf(talk, "rabbitmq: started in %.1f s, pid %d, log %s\n", time.Since(began).Seconds(), started.PID, n.Log())
	return started, nil
}

// startLocked starts a node in a folder that is locked, and hands the lock on to it.
func (n Node) startLocked(ctx context.Context, lock *os.File) (Process, error) {
	if err := n.endMapper(ctx); err != nil { // left by a node that was killed
		return Process{}, err
	}
	folder, err := home(packages)
	if err != nil {
		return Process{}, err
	}
	p, err := n.choosePorts()
	if err != nil {
		return Process{}, err
	}
	environment, err := n.environment(folder, p)
	if err != nil {
		return Process{}, err
	}
	mapperLock, err := flock.Try(n.mapperLock())
	if err != nil {
		return Process{}, fmt.Errorf("lock %s: %w", n.mapperLock(), err)
	}
	running := context.WithoutCancel(ctx) // ctx bounds the start
	mapper, err := parts.Start(running, parts.Command{Name: "epmd", Path: "epmd", Log: filepath.Join(n.Dir, "epmd.log"), Detached: !n.Child, Files: []*os.File{mapperLock},
		Args: []string{"-address", "127.0.0.1", "-port", p.mapper}})
	if err := errors.Join(err, mapperLock.Close()); err != nil {
		return Process{}, err
	}
	started, err := n.await(ctx, p, mapper, parts.Command{Name: "rabbitmq", Path: "erl", Log: n.Log(), Detached: !n.Child, Files: []*os.File{lock},
		Args: arguments(p), Env: environment})
	if err != nil {
		return Process{}, errors.Join(err, mapper.Kill())
	}
	return started, nil
}

// await runs the node until it answers. When it cannot, or ctx ends, neither the node nor a pid file is left.
func (n Node) await(ctx context.Context, ports ports, mapper *parts.Process, command parts.Command) (Process, error) {
	node, err := parts.Start(context.WithoutCancel(ctx), command)
	if err != nil {
		return Process{}, err
	}
	p := Process{PID: node.PID(), Mapper: mapper.PID(), Address: net.JoinHostPort("127.0.0.1", ports.clients)}
	err = n.writePID(p)
	if err == nil {
		err = poll.Until(ctx, pause, func(ctx context.Context) error {
			err := Ping(ctx, p.Address)
			select {
			case <-node.Done(): // an answer would be another program's
				return poll.Stop(ended(node))
			default:
				return err
			}
		})
	}
	if err == nil {
		return p, nil
	}
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		err = fmt.Errorf("rabbitmq does not answer at %s: %w: its log %s ends with\n%s", p.Address, unmet.Cause, n.Log(), node.LogTail(20))
	}
	return Process{}, errors.Join(err, node.Kill(), n.removePID())
}

// ended says how a node ended that was still starting.
func ended(p *parts.Process) error {
	if err := p.Err(); err != nil {
		return fmt.Errorf("while starting: %w", err)
	}
	return fmt.Errorf("while starting: rabbitmq ended with status 0; its log ends with\n%s", p.LogTail(20))
}
