//go:build linux || darwin

// Package postgres runs one real PostgreSQL without Docker, for tools/postgres, the stack and tests: Debian's package, on 127.0.0.1, without the
// cluster that the package makes. A server keeps its data between starts. A folder is one server.
package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"tracelab/internal/freeport"
)

// Server is one server's folder.
type Server struct {
	Dir  string // data, log
	Port int    // on 127.0.0.1, for Start; 0 takes a free one
	// Child ends the server with this process, however it ends. Else it runs until Stop.
	Child bool
}

// Process is a server that runs.
type Process struct {
	PID     int
	Address string // host:port for clients
}

// URL is how clients connect, as the only user.
func (p Process) URL() string {
	return "postgres://postgres@" + p.Address + "/postgres?sslmode=disable"
}

// LockFile is the file whose lock the server's process holds as long as it lives; see package flock.
func (s Server) LockFile() string { return filepath.Join(s.Dir, "postgres.lock") }

// Log is the file that the server writes its log to; a start begins it anew.
func (s Server) Log() string { return filepath.Join(s.Dir, "postgres.log") }

func (s Server) pidFile() string { return filepath.Join(s.Dir, "postgres.pid") }

// data is the folder of the server's data. Root's home is closed to the user that runs the server for root: then it is one in /var/tmp.
func (s Server) data() string {
	if os.Geteuid() == 0 && !openToAll(s.Dir) {
		sum := sha256.Sum256([]byte(s.Dir))
		return filepath.Join("/var/tmp", "tracelab-postgres-"+hex.EncodeToString(sum[:6]))
	}
	return filepath.Join(s.Dir, "data")
}

// openToAll tells whether every user can enter a folder.
func openToAll(folder string) bool {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return false
	}
	for {
		if about, err := os.Stat(folder); err != nil || about.Mode()&0o001 == 0 {
			return false
		}
		if filepath.Dir(folder) == folder {
			return true
		}
		folder = filepath.Dir(folder)
	}
}

// The pid file names the process and the address. What it says of the process is true while the process holds its lock.

func (s Server) writePID(p Process) error {
	next := s.pidFile() + ".next"
	if err := os.WriteFile(next, fmt.Appendf(nil, "%d\n%s\n", p.PID, p.Address), 0o644); err != nil {
		return err
	}
	return os.Rename(next, s.pidFile())
}

func (s Server) readPID() (Process, error) {
	text, err := os.ReadFile(s.pidFile())
	if err != nil {
		return Process{}, err
	}
	fields := strings.Fields(string(text))
	if len(fields) != 2 {
		return Process{}, fmt.Errorf("%s: want a pid and an address, found %q", s.pidFile(), text)
	}
	pid, err := strconv.Atoi(fields[0])
	if err != nil || pid <= 1 { // 0 and below are many processes
		return Process{}, fmt.Errorf("%s: %q is no pid", s.pidFile(), fields[0])
	}
	return Process{PID: pid, Address: fields[1]}, nil
}

func (s Server) removePID() error {
	if err := os.Remove(s.pidFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// ErrMissing says that this machine has no PostgreSQL.
var ErrMissing = errors.New("PostgreSQL is not installed: on Debian `apt-get install --no-install-recommends postgresql` (and stop the one that it starts)")

// Program returns the path of one of PostgreSQL's programs: of the newest version in Debian's folders, or in PATH.
func Program(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // what is no number is older than all
			return n
		}
		return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, ErrMissing)
	}
	return path, nil
}

// owner is who runs the server: PostgreSQL refuses root, for whom Debian's user postgres stands in.
func owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to be run by root, and there is no user postgres: %w", err)
	}
	uid, err := strconv.ParseUint(postgres.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(postgres.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

// choosePort returns a free port on 127.0.0.1. Another process may take it before PostgreSQL does: then its own log says so.
func (s Server) choosePort() (string, error) {
	if s.Port == 0 {
		free, err := freeport.InARow(1)
		if err != nil {
			return "", err
		}
		_, port, err := net.SplitHostPort(free[0])
		return port, err
	}
	port := strconv.Itoa(s.Port)
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return "", fmt.Errorf("port %d is in use by another process: choose one with -port, or 0 for a free one", s.Port)
	}
	if err != nil {
		return "", err
	}
	return port, listener.Close()
}

// Ping connects and asks. It fails after a second at the latest.
func Ping(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, Process{Address: address}.URL())
	if err != nil {
		return err
	}
	return errors.Join(conn.Ping(ctx), conn.Close(ctx))
}
