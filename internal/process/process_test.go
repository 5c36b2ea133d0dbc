package process

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// pair is a process that listens, and a connection to it from outside, which it has accepted.
func pair(t *testing.T) (p *Process, own, other net.Conn) {
	t.Helper()
	var dialer net.Dialer
	p = New(net.Listen, dialer.DialContext)
	l, err := p.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if other, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if own, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); _ = other.Close() })
	return p, own, other
}

// TestKillResetsConnections, also those whose other side waits, and closes the ports.
func TestKillResetsConnections(t *testing.T) {
	p, own, other := pair(t)
	p.Kill()
	p.Kill() // a second one changes nothing
	if _, err := other.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the other side reads %v, want a reset", err)
	}
	if _, err := own.Write([]byte("late")); !errors.Is(err, ErrKilled) {
		t.Errorf("a killed process writes: %v", err)
	}
	if _, err := p.Dial(t.Context(), "tcp", other.LocalAddr().String()); !errors.Is(err, ErrKilled) {
		t.Errorf("a killed process dials: %v", err)
	}
	if _, err := p.Listen("tcp", "127.0.0.1:0"); !errors.Is(err, ErrKilled) {
		t.Errorf("a killed process listens: %v", err)
	}
	if _, err := net.Dial("tcp", other.RemoteAddr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("its port: %v, want refused", err)
	}
	ctx, cancel := p.Context(context.Background())
	defer cancel()
	if !errors.Is(context.Cause(ctx), ErrKilled) {
		t.Errorf("a context of a killed process: %v", context.Cause(ctx))
	}
}

// TestPauseHoldsEverything in both directions, until it goes on or is killed.
func TestPauseHoldsEverything(t *testing.T) {
	p, own, other := pair(t)
	p.Pause()
	p.Pause() // a second one changes nothing
	got := make(chan string, 1)
	go func() {
		text := make([]byte, 4)
		_, _ = io.ReadFull(own, text)
		_, _ = own.Write([]byte("pong"))
		got <- string(text)
	}()
	if _, err := other.Write([]byte("ping")); err != nil {
		t.Fatalf("the system did not take it: %v", err)
	}
	if c, err := net.Dial("tcp", other.RemoteAddr().String()); err != nil {
		t.Errorf("the system does not take a connection: %v", err)
	} else {
		_ = c.Close()
	}
	_ = other.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := other.Read(make([]byte, 4)); err == nil {
		t.Error("a paused process answered")
	}
	p.Resume()
	_ = other.SetReadDeadline(time.Now().Add(20 * time.Second))
	if text, err := io.ReadAll(io.LimitReader(other, 4)); err != nil || string(text) != "pong" || <-got != "ping" {
		t.Errorf("after it went on: %q, %v", text, err)
	}
	p.Pause()
	waited := make(chan error, 1)
	go func() { waited <- p.Wait() }()
	p.Kill()
	if err := <-waited; !errors.Is(err, ErrKilled) {
		t.Errorf("a paused process that is killed: %v", err)
	}
}
