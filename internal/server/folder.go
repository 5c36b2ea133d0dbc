//go:build linux || darwin

// Package server runs one real server in a folder of its own, without Docker. It locks the folder for the server's process, notes the process and
// its address beside the lock, waits until the server answers, and ends exactly that process. Packages broker, postgres and rabbitmq say which
// program it is. A folder is one server, and keeps its data between starts.
package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"tracelab/internal/freeport"
)

// Folder is the folder of one server.
type Folder struct {
	Dir  string // settings, logs, and mostly data
	Data string // what stays when the server ends, for messages
	Name string // of the server, in messages and in the names of its files: kafka
	Noun string // what messages call it: broker
	// Signal asks the server to shut down.
	Signal syscall.Signal
	// Ping returns nil when a server answers at the address, within a second. An open port is not yet a server.
	Ping func(ctx context.Context, address string) error
	// Left ends the helper of a server that has ended. It may be nil for a server without one.
	Left func(ctx context.Context, p Process) error
}

// Process is a server that runs.
type Process struct {
	PID     int
	Helper  int    // pid of a process that it needs beside it; 0: it has none
	Address string // host:port for clients
}

// LockFile is the file whose lock the server's process holds as long as it lives; see package flock.
func (f Folder) LockFile() string { return filepath.Join(f.Dir, f.Name+".lock") }

// Log is the file that the server writes its log to; a start begins it anew.
func (f Folder) Log() string { return filepath.Join(f.Dir, f.Name+".log") }

func (f Folder) pidFile() string { return filepath.Join(f.Dir, f.Name+".pid") }

// write notes a process. What the file says is true while the process holds the lock.
func (f Folder) write(p Process) error {
	pids := fmt.Sprintf("%d\n", p.PID)
	if p.Helper != 0 {
		pids += fmt.Sprintf("%d\n", p.Helper)
	}
	next := f.pidFile() + ".next"
	if err := os.WriteFile(next, []byte(pids+p.Address+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(next, f.pidFile())
}

// read returns the process that was noted.
func (f Folder) read() (Process, error) {
	text, err := os.ReadFile(f.pidFile())
	if err != nil {
		return Process{}, err
	}
	fields := strings.Fields(string(text))
	if len(fields) != 2 && len(fields) != 3 {
		return Process{}, fmt.Errorf("%s: want a pid or two and an address, found %q", f.pidFile(), text)
	}
	p := Process{Address: fields[len(fields)-1]}
	for i, pid := range []*int{&p.PID, &p.Helper}[:len(fields)-1] {
		if *pid, err = strconv.Atoi(fields[i]); err != nil || *pid <= 1 { // 0 and below are many processes
			return Process{}, fmt.Errorf("%s: %q is no pid", f.pidFile(), fields[i])
		}
	}
	return p, nil
}

// clear takes away what a server that has ended leaves: its helper and the note of its process.
func (f Folder) clear(ctx context.Context) error {
	if p, err := f.read(); err == nil && p.Helper != 0 {
		if err := f.Left(ctx, p); err != nil {
			return err
		}
	}
	return f.forget()
}

// forget removes the note of a process.
func (f Folder) forget() error {
	if err := os.Remove(f.pidFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Address returns 127.0.0.1 with the port, or with a free one for 0, after it has bound it once. Another process may take the port before the
// server does: then the server's own log says so.
func Address(port int) (string, error) {
	if port == 0 {
		addresses, err := freeport.InARow(1)
		if err != nil {
			return "", err
		}
		return addresses[0], nil
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return "", fmt.Errorf("port %d is in use by another process: choose one with -port, or 0 for a free one", port)
	}
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
