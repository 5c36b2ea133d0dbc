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
	"io"
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

	"tracelab/internal/server"
)

// Server is one server's folder.
type Server struct {
	Dir  string // data, log
	Port int    // on 127.0.0.1, for Start; 0 takes a free one
	// Child ends the server with this process, however it ends. Else it runs until Stop.
	Child bool
}

// Process is a server that runs.
type Process struct{ server.Process }

// URL is how clients connect, as the only user.
func (p Process) URL() string {
	return "postgres://postgres@" + p.Address + "/postgres?sslmode=disable"
}

// LockFile is the file whose lock the server's process holds as long as it lives; see package flock.
func (s Server) LockFile() string { return s.folder().LockFile() }

// Log is the file that the server writes its log to; a start begins it anew.
func (s Server) Log() string { return s.folder().Log() }

func (s Server) folder() server.Folder {
	return server.Folder{Dir: s.Dir, Data: s.data(), Name: "postgres", Noun: "server", Signal: syscall.SIGINT, Ping: Ping} // SIGINT disconnects clients
}

// Stop asks the server of s's folder to shut down, and waits until it is gone. Clients are disconnected. No server there is success as well.
func (s Server) Stop(ctx context.Context, progress io.Writer) error {
	return s.folder().Stop(ctx, progress)
}

// Kill ends the server of s's folder at once (SIGKILL), as a crash does, and waits until it is gone.
func (s Server) Kill(ctx context.Context) error { return s.folder().Kill(ctx) }

// Status returns the server of s's folder; it is an error when none runs, or when it does not answer.
func (s Server) Status(ctx context.Context, progress io.Writer) (Process, error) {
	p, err := s.folder().Status(ctx, progress)
	return Process{p}, err
}

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

// Ping connects and asks. It fails after a second at the latest.
func Ping(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, Process{server.Process{Address: address}}.URL())
	if err != nil {
		return err
	}
	return errors.Join(conn.Ping(ctx), conn.Close(ctx))
}
