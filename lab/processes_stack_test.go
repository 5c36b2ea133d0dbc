//go:build stack

package lab_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/internal/otlp"
	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// process is one `tracelab serve`.
type process struct {
	name  string
	start func() *exec.Cmd // makes the command again
	cmd   *exec.Cmd
	ready chan struct{} // closed when it says so for the first time

	mu  sync.Mutex
	out bytes.Buffer // what it has written, to both streams
}

// Write keeps what the process writes and looks for the word that it is ready.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out.Write(text)
	lines := bufio.NewScanner(bytes.NewReader(p.out.Bytes()))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready:") && p.ready != nil {
			close(p.ready)
			p.ready = nil
		}
	}
	return len(text), nil
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// startProcess starts a service and waits until it is ready.
func startProcess(t *testing.T, program, name string, args ...string) *process {
	t.Helper()
	ready := make(chan struct{})
	p := &process{name: name, ready: ready, start: func() *exec.Cmd { return exec.Command(program, append([]string{"serve", name}, args...)...) }}
	if err := p.begin(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil { // the test has failed before it stopped it
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	select {
	case <-ready:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s is not ready: %s", name, p.text())
	}
	return p
}

// begin starts the process.
func (p *process) begin() error {
	p.cmd = p.start()
	p.cmd.Stdout, p.cmd.Stderr = p, p
	return p.cmd.Start()
}

// killed ends the process as the kernel does when memory is short, and starts it again at the same addresses. It does not wait until it is ready.
func (p *process) killed() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // it was killed
	return p.begin()
}

// stop ends the process as an orchestrator would. It must exit with 0 and have lost no span.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%s: %v: %s", p.name, err, p.text())
	}
	if text := p.text(); !strings.Contains(text, "+ dropped 0\n") || !strings.Contains(text, "stopped: "+p.name) {
		t.Errorf("%s ended with: %s", p.name, text)
	}
}

// pairs writes addresses as flags take them.
func pairs(flag string, addresses map[string]string) []string {
	var args []string
	for name, address := range addresses {
		args = append(args, flag, name+"="+address)
	}
	return args
}

func TestSevenProcessesGiveTheSameStructures(t *testing.T) {
	kafka := kafkaAddress(t)
	program := filepath.Join(t.TempDir(), "tracelab")
	if text, err := exec.Command("go", "build", "-o", program, "../cmd/tracelab").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	http, grpc := freeAddresses(t)
	receiver := receiverAddress(t)
	prefix := "tracelab.processes." + time.Now().Format("150405.000") + "."
	t.Cleanup(func() {
		config := services.Config{Network: services.TCP(), Kafka: []string{kafka}, Prefix: prefix}
		if err := services.RemoveTopics(context.Background(), config); err != nil {
			t.Error(err)
		}
	})
	args := append(pairs("--http", http), pairs("--grpc", grpc)...)
	args = append(args, "--kafka", kafka, "--prefix", prefix, "--otlp", receiver, "--host", "lab")
	var running []*process
	for _, name := range flows.Order().Services() {
		running = append(running, startProcess(t, program, name, args...))
	}

	result := runProcess(t, program, "run", "--orders", "5", "--warm-up", "1", "--target", "http://"+http[services.Gateway],
		"--receive-otlp", receiver, "--format", "json", "--out", t.TempDir())
	balanced(t, result)
	for form, f := range result.Forms {
		if f.Incomplete > 0 || f.Journeys != 5 {
			t.Errorf("%s: %d journeys complete, %d not", form, f.Journeys, f.Incomplete)
		}
	}
	if diff := cmp.Diff(structures(t, runOn(t, nil, "both", false), ""), structures(t, result, prefix)); diff != "" {
		t.Errorf("-one process +seven:\n%s", diff)
	}

	// The run has taken its receiver with it; the last commits' spans still have to go somewhere.
	again, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: receiver, Keep: testkit.NewSpanStore().Add, Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range running {
		p.stop(t)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// runProcess runs the program to its end and reads its report, which must tell of no problem.
func runProcess(t *testing.T, program string, args ...string) *lab.Result {
	t.Helper()
	var talk bytes.Buffer
	command := exec.Command(program, args...)
	command.Stderr = &talk
	text, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s %s", err, talk.String(), text)
	}
	var result lab.Result
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatal(err)
	}
	if len(result.Problems) > 0 {
		t.Errorf("problems %q", result.Problems)
	}
	return &result
}
