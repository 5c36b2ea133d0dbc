//go:build stack

package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// queued is how long an order waits in the queue, at least: billing is told to take it that long after the broker acknowledged it.
	queued = 300 * time.Millisecond
	// stepWithin is what each step of a program may take, its start included.
	stepWithin = 30 * time.Second
)

// order is one order that shop sent and billing handled, as their programs tell it.
type order struct {
	request, acknowledged time.Time // by shop
	handling, charged     time.Time // by billing
	file                  string    // their spans, as tracelab received them
}

// program is a command of a service: its arguments and what its environment has beside this process's.
type program struct{ args, env []string }

// with adds to the environment.
func (p program) with(env ...string) program {
	return program{p.args, append(slices.Clone(p.env), env...)}
}

// placeOrder starts billing, lets shop send an order, lets it wait, lets billing take it, and returns when both have ended.
func placeOrder(t *testing.T, shop, billing program) order {
	t.Helper()
	receiver := startReceiver(t)
	consumer := start(t, "billing", billing, receiver.url)
	consumer.await(t, "ready")
	producer := start(t, "shop", shop, receiver.url)
	o := order{file: receiver.file, request: producer.await(t, "request"), acknowledged: producer.await(t, "acknowledged")}
	time.Sleep(time.Until(o.acknowledged.Add(queued))) // this is the wait in the queue
	if _, err := io.WriteString(consumer.in, "go\n"); err != nil {
		t.Fatal(err)
	}
	o.handling, o.charged = consumer.await(t, "handling"), consumer.await(t, "charged")
	producer.end(t)
	consumer.end(t)
	receiver.stop(t)
	return o
}

// service is a running program. It writes what happens as JSON lines.
type service struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	log  string // the file with its standard error
}

func start(t *testing.T, name string, p program, endpoint string) *service {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*stepWithin)
	t.Cleanup(cancel)
	s := &service{name: name, cmd: exec.CommandContext(ctx, p.args[0], p.args[1:]...), log: filepath.Join(t.TempDir(), name+".log")}
	s.cmd.Env = append(append(os.Environ(), p.env...), "OTEL_SERVICE_NAME="+name, "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint)
	log, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the child has its own copy
	s.cmd.Stderr = log
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewScanner(out)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// await reads what the service tells until it names that event, and returns the event's time.
func (s *service) await(t *testing.T, event string) time.Time {
	t.Helper()
	killed := time.AfterFunc(stepWithin, func() { _ = s.cmd.Process.Kill() }) // which ends its output
	defer killed.Stop()
	for s.out.Scan() {
		var told struct {
			Event string `json:"event"`
			At    int64  `json:"at,string"`
		}
		if err := json.Unmarshal(s.out.Bytes(), &told); err != nil {
			t.Fatalf("%s says %q: %v", s.name, s.out.Text(), err)
		}
		if told.Event == event {
			return time.Unix(0, told.At)
		}
	}
	t.Fatalf("%s ended, or took longer than %v, before it was %s: %v\n%s", s.name, stepWithin, event, s.cmd.Wait(), s.errors())
	return time.Time{}
}

// end waits until the program has ended by itself, and so has sent its spans.
func (s *service) end(t *testing.T) {
	t.Helper()
	killed := time.AfterFunc(stepWithin, func() { _ = s.cmd.Process.Kill() })
	defer killed.Stop()
	for s.out.Scan() { // Wait must not close what nobody has read
	}
	if err := s.cmd.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", s.name, err, s.errors())
	}
}

func (s *service) errors() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// receiver is `tracelab receive`.
type receiver struct {
	url, file string
	cmd       *exec.Cmd
	err       *bufio.Reader
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{file: filepath.Join(t.TempDir(), "traces.otlp.jsonl")}
	r.cmd = exec.CommandContext(t.Context(), tracelab, "receive", "--otlp", "127.0.0.1:0", "--out", r.file)
	out, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.err = bufio.NewReader(out)
	line, err := r.err.ReadString('\n')
	if err != nil {
		t.Fatalf("tracelab receive: %v: %s", err, line)
	}
	if _, err := fmt.Sscanf(line[max(0, strings.Index(line, "http://")):], "http://%s", &r.url); err != nil {
		t.Fatalf("tracelab receive says no address: %q", line)
	}
	r.url = "http://" + strings.TrimSuffix(r.url, ";")
	return r
}

// stop ends the receiver, which then has its file.
func (r *receiver) stop(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(r.err)
	if err != nil {
		t.Error(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Fatalf("tracelab receive: %v: %s", err, rest)
	}
}

// tracelab is the path of the built program.
var tracelab string

// TestMain builds the program, or is a service of TestOtelkgo or TestOtelamqp.
func TestMain(m *testing.M) {
	if name := os.Getenv("INTEROP_SERVICE"); name != "" {
		if err := serve(name); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(withProgram(m))
}

func withProgram(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tracelab-interop")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	tracelab = filepath.Join(dir, "tracelab")
	if out, err := exec.Command("go", "build", "-o", tracelab, "../cmd/tracelab").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}
