//go:build linux || darwin

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tracelab/internal/flock"
	"tracelab/internal/parts"
	"tracelab/internal/poll"
)

// pause is between two looks at something that other processes do.
const pause = 20 * time.Millisecond

// Start runs a server in s's folder until Stop, or finds the one that runs there, and returns when it answers. While another process holds the
// folder it may be about to answer, or about to end: Start waits for either. Progress goes to talk.
func (s Server) Start(ctx context.Context, talk io.Writer) (Process, error) {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return Process{}, err
	}
	var lock *os.File
	var running Process
	err := poll.Until(ctx, pause, func(ctx context.Context) (err error) {
		if lock, err = flock.Try(s.LockFile()); !errors.Is(err, flock.ErrHeld) {
			return poll.Stop(err)
		}
		if running, err = s.readPID(); err == nil {
			err = Ping(ctx, running.Address)
		}
		return err
	})
	switch _, unmet := errors.AsType[*poll.Unmet](err); {
	case unmet:
		return Process{}, fmt.Errorf("a server of %s runs but does not answer: %w (`postgres stop` ends it, its log is %s)", s.Dir, err, s.Log())
	case err != nil:
		return Process{}, err
	case lock == nil:
		_, _ = fmt.Fprintf(talk, "postgres: runs already, pid %d, log %s\n", running.PID, s.Log())
		return running, nil
	}
	began := time.Now()
	started, err := s.startLocked(ctx, lock)
	if err := errors.Join(err, lock.Close()); err != nil { // the server has a copy of its own
		return Process{}, err
	}
	_, _ = fmt.Fprintf(talk, "postgres: started in %.1f s, pid %d, log %s\n", time.Since(began).Seconds(), started.PID, s.Log())
	return started, nil
}

// startLocked starts a server in a folder that is locked, and hands the lock on to it.
func (s Server) startLocked(ctx context.Context, lock *os.File) (Process, error) {
	program, err := Program("postgres")
	if err != nil {
		return Process{}, err
	}
	as, err := owner()
	if err != nil {
		return Process{}, err
	}
	if err := s.initialize(ctx, as); err != nil {
		return Process{}, err
	}
	port, err := s.choosePort()
	if err != nil {
		return Process{}, err
	}
	if err := os.WriteFile(s.Log(), nil, 0o644); err != nil {
		return Process{}, err
	}
	// Without a sync to the disk a killed server loses nothing, a machine that loses its power may. Commits wait for the write all the same.
	return s.await(ctx, net.JoinHostPort("127.0.0.1", port), parts.Command{
		Name: "postgres", Path: program, Log: s.Log(), Dir: s.data(), Detached: !s.Child, Files: []*os.File{lock}, As: as,
		Args: []string{"-D", s.data(), "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB"},
	})
}

// initialize makes the data folder, if it is not there.
func (s Server) initialize(ctx context.Context, as *syscall.Credential) error {
	if _, err := os.Stat(filepath.Join(s.data(), "PG_VERSION")); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	program, err := Program("initdb")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.data(), 0o700); err != nil {
		return err
	}
	if as != nil {
		if err := os.Chown(s.data(), int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	initdb, err := parts.Start(ctx, parts.Command{Name: "initdb", Path: program, Log: filepath.Join(s.Dir, "initdb.log"), Dir: s.data(), As: as,
		Args: []string{"-D", s.data(), "-U", "postgres", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8"}})
	if err != nil {
		return fmt.Errorf("%w (the user that runs PostgreSQL must be able to enter %s)", err, s.data())
	}
	<-initdb.Done()
	return errors.Join(context.Cause(ctx), initdb.Err())
}

// await runs the server until it answers. When it cannot, or ctx ends, neither the server nor a pid file is left.
func (s Server) await(ctx context.Context, address string, command parts.Command) (Process, error) {
	server, err := parts.Start(context.WithoutCancel(ctx), command)
	if err != nil {
		return Process{}, err
	}
	p := Process{PID: server.PID(), Address: address}
	err = s.writePID(p)
	if err == nil {
		err = poll.Until(ctx, pause, func(ctx context.Context) error {
			err := Ping(ctx, p.Address)
			select {
			case <-server.Done(): // an answer would be another program's
				return poll.Stop(errors.Join(errors.New("postgres ended while starting"), server.Err()))
			default:
				return err
			}
		})
	}
	if err == nil {
		return p, nil
	}
	if unmet, ok := errors.AsType[*poll.Unmet](err); ok {
		err = fmt.Errorf("postgres does not answer at %s: %w: its log %s ends with\n%s", p.Address, unmet.Cause, s.Log(), server.LogTail(20))
	}
	return Process{}, errors.Join(err, server.Kill(), s.removePID())
}
