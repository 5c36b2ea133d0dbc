//go:build stack

package services_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/freeport"
	"tracelab/internal/poll"
	"tracelab/services"
	"tracelab/services/flows"
)

const (
	ordersPerSecond = 60
	// pause is longer than a consumer's session, so that its records go to whoever is there, or come again.
	pause        = 8 * time.Second
	readyWithin  = 60 * time.Second // a killed member's session has to end first
	settleWithin = 90 * time.Second
)

// serving is one `tracelab serve`, which can be killed and started again.
type serving struct {
	name string
	args []string
	cmd  *exec.Cmd

	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps what the process writes.
func (s *serving) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(text)
}

func (s *serving) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// start starts the process and waits until it is ready.
func (s *serving) start(t *testing.T, program string) {
	t.Helper()
	before := strings.Count(s.output(), "ready: ")
	s.cmd = exec.Command(program, append([]string{"serve", s.name}, s.args...)...)
	s.cmd.Stdout, s.cmd.Stderr = s, s
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(readyWithin); strings.Count(s.output(), "ready: ") == before; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready after %v: %s", s.name, readyWithin, s.output())
		}
	}
}

// kill ends the process as the kernel does when memory is short.
func (s *serving) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // it was killed
}

func (s *serving) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// system is the seven services, each in a process of its own with a store in a file of its own.
type system struct {
	program string
	gateway string // its URL
	all     map[string]*serving
}

// startSystem starts the services, with topics of their own.
func startSystem(t *testing.T, program, topics string) *system {
	t.Helper()
	kafka := os.Getenv("KAFKA_ADDR")
	if kafka == "" {
		t.Fatal("KAFKA_ADDR is empty: start a Kafka with `task kafka` and set KAFKA_ADDR to the address that it prints")
	}
	s := &system{program: program, all: map[string]*serving{}}
	ports, err := freeport.InARow(2 * len(flows.Order().Services()))
	if err != nil {
		t.Fatal(err)
	}
	prefix := "tracelab." + topics + "." + time.Now().Format("150405.000") + "."
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), settleWithin)
		defer cancel()
		config := services.Config{Network: services.TCP(), Kafka: []string{kafka}, Prefix: prefix}
		err := poll.Until(ctx, time.Second, func(ctx context.Context) error { // the killed members' sessions have to end first
			return services.RemoveTopics(ctx, config)
		})
		if err != nil {
			t.Error(err)
		}
	})
	var addresses []string
	for i, name := range flows.Order().Services() {
		addresses = append(addresses, "--http", name+"="+ports[2*i], "--grpc", name+"="+ports[2*i+1])
	}
	s.gateway = "http://" + ports[0]
	files := t.TempDir()
	for _, name := range flows.Order().Services() {
		args := append([]string{"--kafka", kafka, "--prefix", prefix, "--store", filepath.Join(files, name)}, addresses...)
		p := &serving{name: name, args: args}
		p.start(t, s.program)
		s.all[name] = p
		t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	}
	return s
}

// answers are what the client got.
type answers struct {
	mu                                   sync.Mutex
	placed, accepted, errors, unanswered int
}

// load places orders of a run at a steady rate, until the context ends.
func (s *system) load(ctx context.Context, run string) *answers {
	a := &answers{}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 512, IdleConnTimeout: time.Second}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	ticker := time.NewTicker(time.Second / ordersPerSecond)
	defer ticker.Stop()
	for number := 0; ctx.Err() == nil; number++ {
		wg.Go(func() { a.note(place(client, s.gateway, run, number)) })
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	wg.Wait()
	return a
}

func (a *answers) note(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.placed++
	switch {
	case status == 0:
		a.unanswered++
	case status < 300:
		a.accepted++
	default:
		a.errors++
	}
}

// place places one order and returns the answer's status; 0 without an answer.
func place(client *http.Client, gateway, run string, number int) int {
	req, err := http.NewRequest(http.MethodPost, gateway+"/orders", strings.NewReader(`{"customer":"ada","sku":"tea-green","quantity":1}`))
	if err != nil {
		return 0
	}
	req.GetBody = nil // an order is not sent twice
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Baggage", fmt.Sprintf("%s=%s,%s=kafka,%s=%d", services.KeyRun, run, services.KeyForm, services.KeyNumber, number))
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// summary asks for a run's accounts.
func (s *system) summary(t *testing.T, run string) (sum services.Summary) {
	t.Helper()
	resp, err := http.Get(s.gateway + "/runs/" + run)
	if err != nil {
		return sum
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&sum); err != nil {
		t.Logf("accounts of %s: %v", run, err)
	}
	return sum
}

// TestEachServiceKilledAndPaused ends each service by kill -9 twice and stops it for longer than its session twice, on a
// real Kafka, while 60 orders a second arrive. Nothing that was accepted is lost, each step has its effect once, and the
// accounts say what came again. Orders keeps its state in a file, too, and knows all of it when it is killed. It waits, mostly, so each of two systems at a
// time has half of the services killed.
func TestEachServiceKilledAndPaused(t *testing.T) {
	program := filepath.Join(t.TempDir(), "tracelab")
	if text, err := exec.Command("go", "build", "-o", program, "../cmd/tracelab").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	names := flows.Order().Services()
	half := len(names) / 2
	var skipped atomic.Int64
	t.Run("both", func(t *testing.T) {
		for topics, victims := range map[string][]string{"killed-first": names[:half], "killed-last": names[half:]} {
			t.Run(topics, func(t *testing.T) {
				t.Parallel()
				s := startSystem(t, program, topics)
				for _, name := range victims {
					t.Run(name, func(t *testing.T) { skipped.Add(int64(s.torment(t, name))) })
				}
			})
		}
	})
	if skipped.Load() == 0 {
		t.Error("no step came again: the kills and pauses tested nothing")
	}
}

func (s *system) torment(t *testing.T, name string) (skipped int) {
	run := "killed-" + name
	before := s.summary(t, run)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	loaded := make(chan *answers, 1)
	go func() { loaded <- s.load(ctx, run) }()
	victim := s.all[name]
	for range 2 {
		time.Sleep(2 * time.Second) // orders are on their way
		victim.kill(t)
		victim.start(t, s.program)
	}
	for range 2 {
		time.Sleep(time.Second)
		victim.signal(t, syscall.SIGSTOP)
		time.Sleep(pause)
		victim.signal(t, syscall.SIGCONT)
	}
	time.Sleep(time.Second)
	stop()
	a := <-loaded
	form, sum := s.settled(t, run)
	t.Logf("%s: placed %d = accepted %d + errors %d + unanswered %d; orders: %+v", name, a.placed, a.accepted, a.errors, a.unanswered, sum.Orders)
	t.Logf("%s: accepted %d = completed %d + failed %d + pending %d", name, form.Accepted, form.Completed, form.Failed, form.Pending)
	if form.Pending != 0 || form.Failed != 0 || form.Completed == 0 {
		t.Errorf("%d pending, %d failed of %d: an order that was accepted is lost", form.Pending, form.Failed, form.Accepted)
	}
	for _, step := range flows.Order().Steps() {
		effect := form.Effects[step]
		skipped += effect.Skipped
		t.Logf("%s: %-20s once %d, skipped %d, twice %d", name, step, effect.Once, effect.Skipped, effect.Twice)
		if effect.Twice != 0 || effect.Once != form.Accepted {
			t.Errorf("%s: %+v of %d orders: want each once", step, effect, form.Accepted)
		}
	}
	switch {
	case sum.Orders.Instance != before.Orders.Instance:
		t.Error("the accounts are of another store than before")
	case name != "orders" && name != services.Gateway && (a.accepted != a.placed || form.Accepted != a.accepted):
		t.Errorf("%d placed, %d accepted by the client's answers, %d by the accounts: want all", a.placed, a.accepted, form.Accepted)
	case form.Accepted < a.accepted: // an order whose client got no answer may be accepted, too
		t.Errorf("%d accepted by the client's answers, %d by the accounts", a.accepted, form.Accepted)
	}
	return skipped
}

// settled waits until no order of the run is pending and every effect has been told of.
func (s *system) settled(t *testing.T, run string) (services.Accounts, services.Summary) {
	t.Helper()
	for deadline := time.Now().Add(settleWithin); ; time.Sleep(200 * time.Millisecond) {
		sum := s.summary(t, run)
		form := sum.Forms[services.Kafka]
		if form.Accepted > 0 && form.Pending == 0 || time.Now().After(deadline) {
			return form, sum
		}
	}
}
