//go:build stack && (linux || darwin)

package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestBroker takes a real broker through its life, in a folder and on ports of its own: start, use, start again, stop, stop again,
// start, kill, start. What was produced before must be there after each.
func TestBroker(t *testing.T) {
	state := t.TempDir()
	t.Cleanup(func() { // t.Context has ended by then
		if err := stop(context.Background(), broker{dir: state}, nil, t.Output()); err != nil {
			t.Error(err)
		}
	})
	address := mustStart(t, state)
	produce(t, address, "life", "first")
	if again := mustStart(t, state); again != address {
		t.Errorf("a second start prints %q, want %q", again, address)
	}
	if code, out, text := kafka(t, state, "status"); code != 0 || out != address {
		t.Errorf("status gives %d, %q, %q, want %q", code, out, text, address)
	}

	pid := brokerPID(t, state)
	for range 2 {
		if code, _, text := kafka(t, state, "stop"); code != 0 {
			t.Fatalf("stop gives %d: %s", code, text)
		}
	}
	if !gone(pid) {
		t.Errorf("pid %d lives after stop", pid)
	}
	if _, err := (broker{dir: state}).readPID(); !os.IsNotExist(err) {
		t.Errorf("stop left the pid file: %v", err)
	}

	address = mustStart(t, state)
	produce(t, address, "life", "second")
	if err := syscall.Kill(brokerPID(t, state), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	address = mustStart(t, state) // at once, while the killed one may not be gone
	if got, want := consume(t, address, "life", 2), []string{"first", "second"}; !slices.Equal(got, want) {
		t.Errorf("after a stop and a kill the topic has %q, want %q", got, want)
	}
}

// TestStartFails gives Kafka a data folder that it cannot use: the error shows the end of its log, and nothing is left running.
func TestStartFails(t *testing.T) {
	b := broker{dir: t.TempDir()}
	if err := os.MkdirAll(b.data(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.data()+"/meta.properties", []byte("version=1\ncluster.id=AAAAAAAAAAAAAAAAAAAAAA\nnode.id=7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, text := kafka(t, b.dir, "start", "-port", "0")
	if code != 1 || out != "" || !strings.Contains(text, "node id") || !strings.Contains(text, b.log()) {
		t.Errorf("start gives %d, %q, %q, want 1 and the log's last lines", code, out, text)
	}
	if code, _, text := kafka(t, b.dir, "status"); code != 1 || !strings.Contains(text, "not running") {
		t.Errorf("afterwards status gives %d, %q", code, text)
	}
}

// TestStartIsGivenUp ends a start by its deadline; the process it began must not stay.
func TestStartIsGivenUp(t *testing.T) {
	state := t.TempDir()
	mustStart(t, state) // formats, so that the next start's deadline falls into Kafka's own start
	if code, _, text := kafka(t, state, "stop"); code != 0 {
		t.Fatal(text)
	}
	code, out, text := kafka(t, state, "start", "-port", "0", "-timeout", "700ms")
	if code != 1 || out != "" || !strings.Contains(text, "not within 700ms") {
		t.Errorf("start gives %d, %q, %q, want 1 and its deadline", code, out, text)
	}
	if code, _, text := kafka(t, state, "status"); code != 1 || !strings.Contains(text, "not running") {
		t.Errorf("afterwards status gives %d, %q", code, text)
	}
}

// mustStart returns the address that start prints.
func mustStart(t *testing.T, state string) string {
	t.Helper()
	code, address, text := kafka(t, state, "start", "-port", "0")
	t.Log(text)
	if code != 0 || !strings.HasPrefix(address, "127.0.0.1:") {
		t.Fatalf("start gives %d, %q, %s", code, address, text)
	}
	return address
}

func brokerPID(t *testing.T, state string) int {
	t.Helper()
	p, err := (broker{dir: state}).readPID()
	if err != nil {
		t.Fatal(err)
	}
	return p.pid
}

// gone waits until there is no such process: this test is its parent, and reaps it beside the command that stopped it.
func gone(pid int) bool {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(pause) {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return true
		}
	}
	return false
}

func produce(t *testing.T, address, topic, value string) {
	t.Helper()
	client := newClient(t, kgo.SeedBrokers(address))
	created, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, topic)
	if err != nil && created.ErrMessage == "" {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// consume reads the first n values of a topic through a consumer group.
func consume(t *testing.T, address, topic string, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client := newClient(t, kgo.SeedBrokers(address), kgo.ConsumeTopics(topic), kgo.ConsumerGroup("reader"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	var values []string
	for len(values) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %q: %v", values, err)
		}
		for _, r := range fetches.Records() {
			values = append(values, string(r.Value))
		}
	}
	return values
}

func newClient(t *testing.T, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
