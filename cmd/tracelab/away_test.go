package main

import (
	"bytes"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// silent is the address of something that takes connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var held []net.Conn
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			held = append(held, conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close() // nothing was sent
		<-ended
		for _, conn := range held {
			_ = conn.Close()
		}
	})
	return listener.Addr().String()
}

// TestNothingAnswersAtStart: a broker or a store that is not there, or that never answers, is named with the way out within the start's timeout, and
// nothing is left of the run.
func TestNothingAnswersAtStart(t *testing.T) {
	t.Parallel()
	const nobody = "127.0.0.1:1"
	for name, c := range map[string]struct{ flags, at, want string }{
		"silent kafka":    {"--kafka AT", silent(t), "kafka broker AT cannot be reached: start it (task kafka), or name another with --kafka"},
		"silent rabbitmq": {"--rabbitmq AT --forms rabbitmq", silent(t), "rabbitmq broker AT cannot be reached: start it (task rabbitmq), or name another with --rabbitmq"},
		"silent store":    {"--store postgres://u@AT/db", silent(t), "store PostgreSQL at AT/db: not up within 4.5s"},
		"no rabbitmq":     {"--rabbitmq AT --forms rabbitmq", nobody, "rabbitmq broker AT cannot be reached: start it (task rabbitmq), or name another with --rabbitmq"},
		"no store":        {"--store postgres://u@AT/db", nobody, "connection refused: start it (task postgres), or name another with --store\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait
			out := t.TempDir()
			var report, talk bytes.Buffer
			began := time.Now()
			status := run(t.Context(), append([]string{"run", "--out", out}, strings.Fields(strings.ReplaceAll(c.flags, "AT", c.at))...), nil, &report, &talk)
			if want := strings.ReplaceAll(c.want, "AT", c.at); status != exitNotSo || !strings.Contains(talk.String(), want) {
				t.Errorf("exit status %d, %s, want %q", status, talk.String(), want)
			}
			if took := time.Since(began); took > 30*time.Second { // on a busy machine; else 5 s
				t.Errorf("ended after %v", took)
			}
			if left, err := filepath.Glob(out + "/*"); err != nil || len(left) > 0 {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
}
