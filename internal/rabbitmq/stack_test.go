//go:build stack && (linux || darwin)

package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/internal/testkit"
)

// TestNode takes a real node through its life, in a folder and on ports of its own: start, use, start again, stop, stop again, start, kill,
// start. What was confirmed before must be there after each, as its page for Prometheus says, too, and nothing may be left running.
func TestNode(t *testing.T) {
	n := Node{Dir: t.TempDir(), Metrics: freePort(t)}
	t.Cleanup(func() { // t.Context has ended by then
		if err := n.Stop(context.Background(), t.Output()); err != nil {
			t.Error(err)
		}
	})
	first := mustStart(t, n)
	publish(t, first, "first")
	awaitDepth(t, n, 1)
	if again := mustStart(t, n); again != first {
		t.Errorf("a second start returns %+v, want %+v", again, first)
	}
	if p, _, err := node(t, n, "status", time.Minute); err != nil || p != first {
		t.Errorf("status gives %+v, %v, want %+v", p, err, first)
	}
	for range 2 {
		if _, _, err := node(t, n, "stop", time.Minute); err != nil {
			t.Fatalf("stop: %v", err)
		}
	}
	awaitGone(t, first)
	if _, err := os.Stat(filepath.Join(n.Dir, "rabbitmq.pid")); !os.IsNotExist(err) {
		t.Errorf("stop left the pid file: %v", err)
	}

	second := mustStart(t, n)
	publish(t, second, "second")
	if err := syscall.Kill(second.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	plain := Node{Dir: n.Dir}
	third := mustStart(t, plain) // at once, while the killed one may not be gone; without the page
	awaitGone(t, second)
	publish(t, third, "third")
	if err := n.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, third)
	fourth := mustStart(t, n)
	awaitDepth(t, n, 3)
	if got, want := get(t, fourth), []string{"first", "second", "third"}; !slices.Equal(got, want) {
		t.Errorf("after a stop and two kills the queue has %q, want %q", got, want)
	}
}

// TestStartIsGivenUp ends a start by its deadline; the processes it began must not stay.
func TestStartIsGivenUp(t *testing.T) {
	n := Node{Dir: t.TempDir()}
	if _, _, err := node(t, n, "start", 500*time.Millisecond); !says(err, "not within 500ms") {
		t.Errorf("start: %v, want its deadline", err)
	}
	if _, _, err := node(t, n, "status", time.Minute); !says(err, "not running") {
		t.Errorf("afterwards status: %v", err)
	}
}

// TestStartFails gives RabbitMQ a data folder that it cannot use: the error shows the end of its log.
func TestStartFails(t *testing.T) {
	n := Node{Dir: t.TempDir()}
	if err := os.WriteFile(n.Dir+"/data", []byte("no folder"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := node(t, n, "start", time.Minute); !says(err, n.Log()) {
		t.Errorf("start: %v, want the log's last lines", err)
	}
	if _, _, err := node(t, n, "status", time.Minute); !says(err, "not running") {
		t.Errorf("afterwards status: %v", err)
	}
}

func mustStart(t *testing.T, n Node) Process {
	t.Helper()
	p, text, err := node(t, n, "start", 2*time.Minute)
	t.Log(text)
	if err != nil {
		t.Fatalf("start gives %+v, %v", p, err)
	}
	return p
}

// awaitGone waits for the end of a node and its port mapper; this test is their parent and reaps them beside it.
func awaitGone(t *testing.T, p Process) {
	t.Helper()
	testkit.Await(t, "the processes are gone", 10*time.Second, func(context.Context) error {
		for _, pid := range []int{p.PID, p.Helper} {
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("pid %d lives: %w", pid, err)
			}
		}
		return nil
	})
}

func freePort(t *testing.T) int {
	t.Helper()
	_, port, err := net.SplitHostPort(testkit.FreePort(t))
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// awaitDepth reads the node's page until it says how many messages are ready in the queue and that nobody consumes it. RabbitMQ counts every 5 s.
func awaitDepth(t *testing.T, n Node, want int) {
	t.Helper()
	testkit.Await(t, "depth", 30*time.Second, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.MetricsURL()+"/detailed?family=queue_coarse_metrics&family=queue_consumer_count", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		page, err := io.ReadAll(answer.Body)
		for _, line := range []string{fmt.Sprintf(`rabbitmq_detailed_queue_messages_ready{vhost="/",queue="life"} %d`, want), `rabbitmq_detailed_queue_consumers{vhost="/",queue="life"} 0`} {
			if err == nil && !strings.Contains(string(page), line+"\n") {
				err = fmt.Errorf("no line %s in\n%s", line, page)
			}
		}
		return err
	})
}

func open(t *testing.T, p Process) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // its broker may be gone
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("life", true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		t.Fatal(err)
	}
	return ch
}

func publish(t *testing.T, p Process, text string) {
	t.Helper()
	ch := open(t, p)
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	c, err := ch.PublishWithDeferredConfirm("", "life", true, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(text)})
	if err != nil || !c.Wait() {
		t.Fatalf("%s is not confirmed: %v", text, err)
	}
}

// get takes what is in the queue. A quorum queue may need a moment for its leader after a start.
func get(t *testing.T, p Process) []string {
	t.Helper()
	ch := open(t, p)
	var texts []string
	testkit.Await(t, "three messages", 10*time.Second, func(context.Context) error {
		d, ok, err := ch.Get("life", true)
		if err != nil {
			return err
		}
		if ok {
			texts = append(texts, string(d.Body))
		}
		if len(texts) < 3 {
			return fmt.Errorf("%d so far", len(texts))
		}
		return nil
	})
	return texts
}
