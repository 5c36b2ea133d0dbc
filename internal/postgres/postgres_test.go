//go:build linux || darwin

package postgres_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"tracelab/internal/postgres"
	"tracelab/internal/postgres/postgrestest"
)

// TestServer takes a real server through its life: use, start again, stop, stop again, start, kill, start. What was committed is there after each.
func TestServer(t *testing.T) {
	s, first := postgrestest.Own(t)
	query := func(p postgres.Process, sql string) (n int) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), p.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(t.Context()) }() // its server may be gone
		if strings.HasPrefix(sql, "select") {
			err = conn.QueryRow(t.Context(), sql).Scan(&n)
		} else {
			_, err = conn.Exec(t.Context(), sql)
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	query(first, "create table life (n integer)")
	query(first, "insert into life values (1)")
	if again, err := s.Start(t.Context(), io.Discard); err != nil || again != first {
		t.Errorf("a second start returns %+v, %v, want %+v", again, err, first)
	}
	if p, err := s.Status(t.Context(), io.Discard); err != nil || p != first {
		t.Errorf("status gives %+v, %v, want %+v", p, err, first)
	}
	for range 2 {
		if err := s.Stop(t.Context(), io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Status(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("status after a stop: %v", err)
	}
	second, err := s.Start(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	query(second, "insert into life values (2)")
	if err := s.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	third, err := s.Start(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if n := query(third, "select count(*) from life"); n != 2 {
		t.Errorf("%d rows after a stop and a kill, want 2", n)
	}
}

func TestNothingRuns(t *testing.T) {
	s := postgres.Server{Dir: t.TempDir() + "/absent"}
	if _, err := s.Status(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("status: %v", err)
	}
	if err := s.Stop(t.Context(), io.Discard); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := s.Kill(t.Context()); err == nil {
		t.Error("kill ends what does not run")
	}
	if _, err := os.Stat(s.Dir); err == nil {
		t.Errorf("asking has made %s", s.Dir)
	}
}
