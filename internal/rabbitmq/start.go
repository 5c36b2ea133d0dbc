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

	"tracelab/internal/flock"
	"tracelab/internal/parts"
	"tracelab/internal/server"
)

// Start runs a node in n's folder until Stop, or finds the one that runs there, and returns when it answers. It writes lines for a person to
// progress.
func (n Node) Start(ctx context.Context, progress io.Writer) (Process, error) {
	p, err := n.folder().Start(ctx, progress, n.startLocked)
	return Process{p}, err
}

// startLocked starts a node in a folder that is locked, and hands the lock on to it.
func (n Node) startLocked(ctx context.Context, lock *os.File) (server.Process, error) {
	installed, err := home(packages)
	if err != nil {
		return server.Process{}, err
	}
	p, err := n.choosePorts()
	if err != nil {
		return server.Process{}, err
	}
	environment, err := n.environment(installed, p)
	if err != nil {
		return server.Process{}, err
	}
	mapperLock, err := flock.Try(n.mapperLock())
	if err != nil {
		return server.Process{}, fmt.Errorf("lock %s: %w", n.mapperLock(), err)
	}
	running := context.WithoutCancel(ctx) // ctx bounds the start
	mapper, err := parts.Start(running, parts.Command{Name: "epmd", Path: "epmd", Log: filepath.Join(n.Dir, "epmd.log"), Detached: !n.Child, Files: []*os.File{mapperLock},
		Args: []string{"-address", "127.0.0.1", "-port", p.mapper}})
	if err := errors.Join(err, mapperLock.Close()); err != nil {
		return server.Process{}, err
	}
	started, err := n.folder().Run(ctx, server.Process{Helper: mapper.PID(), Address: net.JoinHostPort("127.0.0.1", p.clients)},
		parts.Command{Path: "erl", Detached: !n.Child, Files: []*os.File{lock}, Args: arguments(p), Env: environment})
	if err != nil {
		return server.Process{}, errors.Join(err, mapper.Kill())
	}
	return started, nil
}
