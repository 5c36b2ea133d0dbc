//go:build stack

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tracelab/internal/freeport"
	"tracelab/internal/postgres/postgrestest"
	"tracelab/services"
)

// process is one `tracelab serve`.
type process struct {
	*exec.Cmd
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps what the process writes.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(text)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// serveBuilt starts the built program and waits until its services are ready.
func serveBuilt(t *testing.T, program string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(program, append([]string{"serve"}, args...)...)}
	p.Stdout, p.Stderr = p, p
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	await(t, "the services are ready", func() bool { return strings.Contains(p.output(), "ready: ") || t.Failed() })
	return p
}

// kill ends the process as the kernel does when memory is short.
func (p *process) kill() {
	_ = p.Process.Kill()
	_ = p.Wait() // it was killed
}

// await waits for a condition.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after 90 s: %s", what)
		}
	}
}

// stored places orders at a gateway whose orders service is killed, and asks for them.
type stored struct {
	t       *testing.T
	gateway string
	client  *http.Client

	mu       sync.Mutex
	accepted map[string][]string // ids by form
}

// place places one order and notes its id when it was accepted.
func (s *stored) place(form string, number int) {
	req, err := http.NewRequest(http.MethodPost, s.gateway+"/orders", strings.NewReader(`{"customer":"ada","sku":"tea-green","quantity":1}`))
	if err != nil {
		s.t.Error(err)
		return
	}
	req.GetBody = nil // an order is not sent twice
	req.Header.Set("Content-Type", "application/json")
	carried := fmt.Sprintf("%s=killed,%s=%s,%s=%d", services.KeyRun, services.KeyForm, form, services.KeyNumber, number)
	if form == "ack" { // slow, so that the mailbox holds some when orders is killed
		carried += fmt.Sprintf(",%s=%s", services.KeyFaults, url.PathEscape("payment:delay=200ms"))
	}
	req.Header.Set("Baggage", carried)
	resp, err := s.client.Do(req)
	if err != nil {
		return // it has no answer
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode < 300 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.accepted[form] = append(s.accepted[form], services.PlacedID(resp))
	}
}

// load places orders of the forms in turn, 80 a second, until ctx ends.
func (s *stored) load(ctx context.Context, forms ...string) {
	var wg sync.WaitGroup
	ticker := time.NewTicker(time.Second / 80)
	defer ticker.Stop()
	for number := 0; ctx.Err() == nil; number++ {
		wg.Go(func() { s.place(forms[number%len(forms)], number/len(forms)) })
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	wg.Wait()
}

func (s *stored) get(base, path string, into any) bool {
	resp, err := s.client.Get(base + path)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(into) == nil
}

func (s *stored) count(form string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.accepted[form])
}

// TestKilledOrdersLoseNothingThatMessagesCarry kills orders (-9) twice in mid-run, and PostgreSQL once: with a store on disk every order of a message
// form that was accepted is completed, each step once; what was in the mailbox of ack is lost, and counted. On PostgreSQL there are two instances of
// orders, of which one stays, and each of them knows every order.
func TestKilledOrdersLoseNothingThatMessagesCarry(t *testing.T) {
	program := filepath.Join(t.TempDir(), "tracelab")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	t.Run("file", func(t *testing.T) { killOrders(t, program, filepath.Join(t.TempDir(), "store"), false, func() {}) })
	t.Run("postgres", func(t *testing.T) {
		server, p := postgrestest.Own(t)
		killOrders(t, program, p.URL(), true, func() {
			if err := server.Kill(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := server.Start(t.Context(), t.Output()); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func killOrders(t *testing.T, program, store string, two bool, killStore func()) {
	names := []string{"gateway", "orders", "inventory", "payment", "shipping", "notification", "analytics"}
	ports, err := freeport.InARow(2*len(names) + 2)
	if err != nil {
		t.Fatal(err)
	}
	addresses := func(http, grpc string) (args []string) {
		for i, name := range names {
			h, g := ports[2*i], ports[2*i+1]
			if name == "orders" {
				h, g = http, grpc
			}
			args = append(args, "--http", name+"="+h, "--grpc", name+"="+g)
		}
		return args
	}
	first, second := ports[2:4], ports[2*len(names):]
	http1, grpc1 := first[0], first[1]
	if two {
		http1, grpc1 = first[0]+","+second[0], first[1]+","+second[1]
	}
	others := serveBuilt(t, program, append([]string{"gateway", "inventory", "payment", "shipping", "notification", "analytics", "--allow-faults", "--kafka", "embedded"}, addresses(http1, grpc1)...)...)
	kafka := regexp.MustCompile(`kafka +(\S+)`).FindStringSubmatch(others.output())
	if kafka == nil {
		t.Fatalf("no Kafka in %s", others.output())
	}
	orders := func(at []string) *process {
		return serveBuilt(t, program, append([]string{"orders", "--kafka", kafka[1], "--store", store, "--workers", "2"}, addresses(at[0], at[1])...)...)
	}
	victim := orders(first)
	bases := []string{"http://" + first[0]}
	if two {
		orders(second)
		bases = append(bases, "http://"+second[0])
	}
	s := &stored{t: t, gateway: "http://" + ports[0], client: &http.Client{Timeout: 20 * time.Second}, accepted: map[string][]string{}}
	defer s.client.CloseIdleConnections()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	loaded := make(chan struct{})
	go func() { defer close(loaded); s.load(ctx, "kafka", "ack", "reply") }()
	for round := range 2 {
		before := s.count("kafka")
		await(t, "orders are on their way", func() bool { return s.count("kafka") >= before+15 })
		victim.kill()
		if round == 1 {
			killStore()
		}
		victim = orders(first)
	}
	before := s.count("kafka")
	await(t, "orders are accepted again", func() bool { return s.count("kafka") >= before+5 })
	stop()
	<-loaded
	var sum services.Summary
	await(t, "what is accepted is final, or lost", func() bool {
		sum = services.Summary{}
		if !s.get(s.gateway, "/runs/killed", &sum) {
			return false
		}
		for form, a := range sum.Forms {
			if a.Pending != a.Lost || form != "ack" && a.Pending != 0 {
				return false
			}
		}
		return len(sum.Forms) == 3
	})
	for form, a := range sum.Forms {
		t.Logf("%s: %d told of, accepted %d = completed %d + failed %d + pending %d, of which %d are lost", form, s.count(string(form)), a.Accepted, a.Completed, a.Failed, a.Pending, a.Lost)
		if a.Accepted < s.count(string(form)) {
			t.Errorf("%s: %d accepted, and clients were told of %d", form, a.Accepted, s.count(string(form)))
		}
		for step, effect := range a.Effects {
			if form != "ack" && (effect.Twice != 0 || effect.Once != a.Accepted) {
				t.Errorf("%s: %s: %+v of %d, want each once", form, step, effect, a.Accepted)
			}
		}
	}
	if sum.Forms["ack"].Lost == 0 {
		t.Error("nothing of the mailbox is lost: the kills tested nothing")
	}
	for _, form := range []string{"kafka", "reply"} {
		for _, id := range s.accepted[form] {
			for _, base := range bases {
				var state services.State
				if !s.get(base, "/orders/"+id, &state) || state.Status != services.Completed {
					t.Fatalf("%s at %s: %+v, want it completed", id, base, state)
				}
			}
		}
	}
}
