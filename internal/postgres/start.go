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

	"tracelab/internal/parts"
	"tracelab/internal/server"
)

// Start runs a server in s's folder until Stop, or finds the one that runs there, and returns when it answers. It writes lines for a person to
// progress.
func (s Server) Start(ctx context.Context, progress io.Writer) (Process, error) {
	p, err := s.folder().Start(ctx, progress, s.startLocked)
	return Process{p}, err
}

// startLocked starts a server in a folder that is locked, and hands the lock on to it.
func (s Server) startLocked(ctx context.Context, lock *os.File) (server.Process, error) {
	program, err := Program("postgres")
	if err != nil {
		return server.Process{}, err
	}
	as, err := owner()
	if err != nil {
		return server.Process{}, err
	}
	if err := s.initialize(ctx, as); err != nil {
		return server.Process{}, err
	}
	address, err := server.Address(s.Port)
	if err != nil {
		return server.Process{}, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return server.Process{}, err
	}
	// Without a sync to the disk a killed server loses nothing, a machine that loses its power may. Commits wait for the write all the same.
	return s.folder().Run(ctx, server.Process{Address: address}, parts.Command{
		Path: program, Dir: s.data(), Detached: !s.Child, Files: []*os.File{lock}, As: as,
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
