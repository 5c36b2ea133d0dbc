//go:build linux || darwin

// Package postgrestest gives tests a real PostgreSQL: one server for a test binary, started when the first test asks for it.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tracelab/internal/postgres"
)

// Required is the environment variable that makes a test fail, which would be skipped, on a machine without PostgreSQL.
const Required = "TRACELAB_REQUIRE_PARTS"

const startWithin = 2 * time.Minute // on a busy machine

// Shared is a server that the tests of a package share. Main or Stop stops it.
type Shared struct {
	dir     string // of the server, which stays when it is stopped; "": one of its own
	once    sync.Once
	server  postgres.Server
	process postgres.Process
	err     error
	schemas atomic.Int64
}

// Main is the tests of a package, which stop the server behind them: for os.Exit(s.Main(m).Run()) or goleak.
func (s *Shared) Main(m *testing.M) interface{ Run() int } { return &tests{m, s} }

type tests struct {
	m *testing.M
	s *Shared
}

// Run runs the tests and stops the server, if one was started. It returns the exit status.
func (t *tests) Run() int {
	code := t.m.Run()
	if err := t.s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// URL returns the address of an empty store on the server: a schema that no other test has.
func (s *Shared) URL(t testing.TB) string {
	t.Helper()
	p := s.Process(t)
	return fmt.Sprintf("%s&search_path=test_%d", p.URL(), s.schemas.Add(1))
}

// Process returns the server, which is started for the first test. Without PostgreSQL the test is skipped, or fails where it is required.
func (s *Shared) Process(t testing.TB) postgres.Process {
	t.Helper()
	s.once.Do(func() { s.err = s.start() })
	if errors.Is(s.err, postgres.ErrMissing) && os.Getenv(Required) == "" {
		t.Skipf("not tried: %v", s.err)
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.process
}

func (s *Shared) start() error {
	dir, err := s.dir, error(nil)
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tracelab-postgres-"); err != nil { // the folders of t.TempDir are closed to the user that runs PostgreSQL
			return err
		}
	}
	s.server = postgres.Server{Dir: dir, Child: true}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	s.process, err = s.server.Start(ctx, io.Discard)
	return err
}

// Stop stops the server, if one was started, and removes what it kept.
func (s *Shared) Stop() error {
	if s.server.Dir == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	err := s.server.Stop(ctx, io.Discard)
	if s.dir == "" {
		err = errors.Join(err, os.RemoveAll(s.server.Dir))
	}
	return err
}

// Own starts a server for one test, which may stop and kill it.
func Own(t testing.TB) (postgres.Server, postgres.Process) {
	t.Helper()
	return OwnIn(t, "")
}

// OwnIn is Own with a folder for the server, which the user that runs PostgreSQL can enter; "" for one that is removed behind the test.
func OwnIn(t testing.TB, dir string) (postgres.Server, postgres.Process) {
	t.Helper()
	s := &Shared{dir: dir}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	p := s.Process(t)
	port := 0
	if _, err := fmt.Sscanf(p.Address, "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	s.server.Port = port // where it is started again
	return s.server, p
}
