//go:build stack && (linux || darwin)

package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/server"
	"tracelab/internal/testkit"
)

// TestBroker takes a real broker through its life, in a folder and on ports of its own: start, use, start again, stop, stop again,
// start, kill, start. What was produced before must be there after each.
func TestBroker(t *testing.T) {
	b := Broker{Dir: t.TempDir()}
	t.Cleanup(func() { // t.Context has ended by then
		if err := b.Stop(context.Background(), t.Output()); err != nil {
			t.Error(err)
		}
	})
	first := mustStart(t, b)
	produce(t, first.Address, "life", "first")
	if again := mustStart(t, b); again != first {
		t.Errorf("a second start returns %+v, want %+v", again, first)
	}
	if p, _, err := kafka(t, b, "status", time.Minute); err != nil || p != first {
		t.Errorf("status gives %+v, %v, want %+v", p, err, first)
	}

	for range 2 {
		if _, _, err := kafka(t, b, "stop", time.Minute); err != nil {
			t.Fatalf("stop: %v", err)
		}
	}
	testkit.Await(t, "the process is gone", 5*time.Second, func(context.Context) error { // this test is its parent, and reaps it beside the stop
		if err := syscall.Kill(first.PID, 0); !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("pid %d lives after stop: %w", first.PID, err)
		}
		return nil
	})
	if _, err := os.Stat(filepath.Join(b.Dir, "kafka.pid")); !os.IsNotExist(err) {
		t.Errorf("stop left the pid file: %v", err)
	}

	second := mustStart(t, b)
	produce(t, second.Address, "life", "second")
	if err := syscall.Kill(second.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	third := mustStart(t, b) // at once, while the killed one may not be gone
	if got, want := consume(t, third.Address, "life", 2), []string{"first", "second"}; !slices.Equal(got, want) {
		t.Errorf("after a stop and a kill the topic has %q, want %q", got, want)
	}
}

// TestStartFails gives Kafka a data folder that it cannot use: the error shows the end of its log, and nothing is left running.
func TestStartFails(t *testing.T) {
	b := Broker{Dir: t.TempDir()}
	if err := os.MkdirAll(b.data(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.data()+"/meta.properties", []byte("version=1\ncluster.id=AAAAAAAAAAAAAAAAAAAAAA\nnode.id=7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := kafka(t, b, "start", time.Minute); !says(err, "node id") || !says(err, b.Log()) {
		t.Errorf("start: %v, want the log's last lines", err)
	}
	if _, _, err := kafka(t, b, "status", time.Minute); !says(err, "not running") {
		t.Errorf("afterwards status: %v", err)
	}
}

// TestStartIsGivenUp ends a start by its deadline; the process it began must not stay.
func TestStartIsGivenUp(t *testing.T) {
	b := Broker{Dir: t.TempDir()}
	mustStart(t, b) // formats, so that the next start's deadline falls into Kafka's own start
	if _, _, err := kafka(t, b, "stop", time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, _, err := kafka(t, b, "start", 700*time.Millisecond); !says(err, "not within 700ms") {
		t.Errorf("start: %v, want its deadline", err)
	}
	if _, _, err := kafka(t, b, "status", time.Minute); !says(err, "not running") {
		t.Errorf("afterwards status: %v", err)
	}
}

func mustStart(t *testing.T, b Broker) server.Process {
	t.Helper()
	p, text, err := kafka(t, b, "start", 2*time.Minute)
	t.Log(text)
	if err != nil || !strings.HasPrefix(p.Address, "127.0.0.1:") {
		t.Fatalf("start gives %+v, %v", p, err)
	}
	return p
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
