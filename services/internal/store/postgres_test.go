package store

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/postgres/postgrestest"
	"tracelab/internal/testmain"
)

var server postgrestest.Shared

func TestMain(m *testing.M) { testmain.Exit(server.Main(m).Run()) }

func openPostgres(t *testing.T, limits Limits) (Store, func() Store) {
	t.Helper()
	url := server.URL(t)
	open := func() *Postgres { return mustOpen(t, PostgresConfig{URL: url, Limits: limits}) }
	s := open()
	return s, func() Store {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open()
		return s
	}
}

func mustOpen(t *testing.T, c PostgresConfig) *Postgres {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := OpenPostgres(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// TestProcessesShareAPostgres: what one writes the others read, under numbers of their own, and each sends its own messages until it is gone.
func TestProcessesShareAPostgres(t *testing.T) {
	url := server.URL(t)
	a, b := mustOpen(t, PostgresConfig{URL: url}), mustOpen(t, PostgresConfig{URL: url})
	if a.About().ID != b.About().ID || a.About().Holder == b.About().Holder || !a.About().Shared || !strings.HasPrefix(a.About().Name, "PostgreSQL 1") {
		t.Errorf("%+v and %+v, want one store and two holders", a.About(), b.About())
	}
	ctx := t.Context()
	u := &Unit{ID: "u", Run: "r", Form: "ack", Holder: a.About().Holder, Since: time.Now()}
	if err := a.Create(ctx, u, Sums{"accepted": 1}, Message{Key: "u", Topic: "placed"}); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Get(ctx, "u"); err != nil || got.Place != u.Place {
		t.Errorf("%+v, %v, want the unit that the other one added", got, err)
	}
	look := func(what string, adopted, waiting, lost int) {
		t.Helper()
		n, err := b.Adopt(ctx)
		messages, waitErr := b.Waiting(ctx, 10)
		gone, lostErr := b.Lost(ctx, "r")
		if n != adopted || len(messages) != waiting || gone["ack"] != lost || err != nil || waitErr != nil || lostErr != nil {
			t.Errorf("%s: %d adopted, %d wait, %v lost; %v %v %v: want %d, %d, %d", what, n, len(messages), gone, err, waitErr, lostErr, adopted, waiting, lost)
		}
	}
	look("while both are there", 0, 0, 0)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // the server notices the end of a connection by itself
		if lost, err := b.Lost(ctx, "r"); err != nil || lost["ack"] == 1 {
			break
		} else if time.Now().After(deadline) {
			t.Fatal("the process that is gone still counts as there after a minute")
		}
	}
	look("when one is gone", 1, 1, 1)
}

// TestTablesOfANewerProgramAreLeftAlone.
func TestTablesOfANewerProgramAreLeftAlone(t *testing.T) {
	url := server.URL(t)
	p := mustOpen(t, PostgresConfig{URL: url})
	if _, err := p.exec(t.Context(), `insert into migrations (version) values (99)`); err != nil {
		t.Fatal(err)
	}
	_, err := OpenPostgres(t.Context(), PostgresConfig{URL: url})
	if err == nil || !strings.Contains(err.Error(), "version 99, this program knows up to 1: use a newer tracelab") {
		t.Errorf("opened tables of version 99: %v", err)
	}
}

// TestManyOpenAnEmptyPostgres at the same time: one makes the tables, the others wait for it.
func TestManyOpenAnEmptyPostgres(t *testing.T) {
	url := server.URL(t)
	opened := make(chan error)
	for range 6 {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			p, err := OpenPostgres(ctx, PostgresConfig{URL: url})
			if err == nil {
				err = p.Close()
			}
			opened <- err
		}()
	}
	for range 6 {
		if err := <-opened; err != nil {
			t.Error(err)
		}
	}
}

// TestPostgresIsAway: at the start the error names it within the time; in mid-work a question waits until it is back; one for good ends in time.
func TestPostgresIsAway(t *testing.T) {
	own, process := postgrestest.Own(t)
	p := mustOpen(t, PostgresConfig{URL: strings.Replace(process.URL(), "postgres@", "postgres:secret@", 1), Limits: Limits{Units: 1000}})
	ctx := t.Context()
	for i := range 3 {
		if err := p.Create(ctx, &Unit{ID: string(rune('a' + i)), Run: "r", Form: "kafka", Since: time.Now()}, Sums{"accepted": 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := own.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	for what, err := range map[string]error{
		"create": p.Create(short, &Unit{ID: "x", Run: "r", Form: "kafka"}, nil),
		"open":   func() error { _, err := OpenPostgres(short, PostgresConfig{URL: process.URL()}); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), "store PostgreSQL") || !strings.Contains(err.Error(), process.Address) || strings.ContainsAny(err.Error(), "\n\t") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s while it is away: %v, want the store's name and no password", what, err)
		}
	}
	waits := make(chan error)
	go func() {
		_, err := p.Put(context.Background(), "a", "s", 7)
		waits <- err
	}()
	if _, err := own.Start(ctx, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := <-waits; err != nil {
		t.Errorf("a question that may wait: %v, want it answered when the server is back", err)
	}
	if sums, err := p.Sums(ctx, "r"); err != nil || sums["kafka"]["accepted"] != 3 {
		t.Errorf("after kill -9: %v, %v, want what was acknowledged", sums, err)
	}
	if err := own.Stop(ctx, io.Discard); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := p.Find(context.Background(), "a", "s")
		waits <- err
	}()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waits; err == nil {
		t.Error("a question to a closed store is answered")
	}
}

// TestSpansOfStatements are CLIENT spans below the span that asks, by its own provider, named as the conventions have it. A question of
// nobody's has none.
func TestSpansOfStatements(t *testing.T) {
	p := mustOpen(t, PostgresConfig{URL: server.URL(t)})
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	ctx, step := provider.Tracer("test").Start(t.Context(), "payment.Charge")
	u := &Unit{ID: "u", Run: "r", Form: "kafka", Since: time.Now()}
	if err := p.Create(ctx, u, Sums{"accepted": 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Put(ctx, "u", "s", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Waiting(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	step.End()
	var names []string
	for _, span := range recorder.Ended() {
		names = append(names, span.Name())
		if span.Name() == "payment.Charge" {
			continue
		}
		set := attribute.NewSet(span.Attributes()...)
		value := func(key attribute.Key) string { v, _ := set.Value(key); return v.String() }
		operation, table, _ := strings.Cut(span.Name(), " ")
		if span.SpanKind() != trace.SpanKindClient || span.Parent().SpanID() != step.SpanContext().SpanID() || value("db.system.name") != "postgresql" ||
			value("db.operation.name") != operation || value("db.collection.name") != table || value("db.namespace") != "postgres" || value("server.address") != "127.0.0.1" {
			t.Errorf("%s: %v %v, parent %v", span.Name(), span.SpanKind(), span.Attributes(), span.Parent().SpanID())
		}
	}
	if got := strings.Join(names, ", "); got != "INSERT units, INSERT effects, payment.Charge" {
		t.Errorf("spans %s", got)
	}
}

// TestTheEndOfAStartSaysWhy: a start that ends during an attempt tells why the one before it failed, and not only that its time is over.
func TestTheEndOfAStartSaysWhy(t *testing.T) {
	over := errors.New("not up in time")
	ctx, end := context.WithCancelCause(t.Context())
	dials := 0
	_, err := OpenPostgres(ctx, PostgresConfig{URL: "postgres://u@127.0.0.1:1/db?sslmode=disable", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		if dials++; dials == 1 {
			return nil, syscall.ECONNREFUSED
		}
		end(over)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	if !errors.Is(err, over) || !errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that the connection was refused", err)
	}
}
