//go:build stack

package lab_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/services"
)

// ownBroker is an Apache Kafka that a test may stop as it likes.
type ownBroker struct {
	program, state string
	address, port  string
	pid            int
}

func startBroker(t *testing.T) *ownBroker {
	t.Helper()
	b := &ownBroker{program: filepath.Join(t.TempDir(), "kafka"), state: t.TempDir(), port: "0"}
	if text, err := exec.Command("go", "build", "-o", b.program, "../tools/kafka").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	b.start(t)
	t.Cleanup(func() { b.do(t, "stop") })
	return b
}

// do runs a command of the broker's program, and returns what it printed and what it said.
func (b *ownBroker) do(t *testing.T, args ...string) (out, talk string) {
	t.Helper()
	var text bytes.Buffer
	command := exec.Command(b.program, append(args, "-state", b.state)...)
	command.Stderr = &text
	printed, err := command.Output()
	if err != nil {
		t.Errorf("kafka %q: %v: %s", args, err, text.String())
	}
	return strings.TrimSpace(string(printed)), text.String()
}

// start starts it, the second time at the same address.
func (b *ownBroker) start(t *testing.T) {
	t.Helper()
	address, talk := b.do(t, "start", "-port", b.port)
	b.address = address
	_, b.port, _ = strings.Cut(address, ":")
	if pid := regexp.MustCompile(`pid (\d+)`).FindStringSubmatch(talk); pid != nil {
		b.pid, _ = strconv.Atoi(pid[1])
	}
}

// TestBrokerRestartedInMidRun takes a real broker away while orders arrive, and starts it again. Calls do not notice. Each order that is
// carried by messages gets an answer and is completed, and its journey is whole. The answer may be an error where the broker stays away
// for longer than orders waits for its acknowledgement, as after a kill: the message is on its way all the same.
func TestBrokerRestartedInMidRun(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(t *testing.T, b *ownBroker)
	}{
		{"stopped", func(t *testing.T, b *ownBroker) { b.do(t, "stop") }},
		{"killed", func(t *testing.T, b *ownBroker) {
			if err := syscall.Kill(b.pid, syscall.SIGKILL); err != nil {
				t.Errorf("pid %d: %v", b.pid, err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t)
			const orders = 100
			var once sync.Once
			back := make(chan struct{})
			result, err := lab.Run(t.Context(), lab.Config{
				Forms: []services.Form{services.GRPC, services.Kafka}, Orders: orders, Rate: 60, Seed: 1, Relation: relation("both"),
				Timeout: 30 * time.Second, Deadline: 60 * time.Second, Kafka: []string{b.address}, Out: t.TempDir(), Version: "test",
				Progress: func(p lab.Progress) {
					if p.Answered < orders/2 {
						return
					}
					once.Do(func() {
						go func() {
							defer close(back)
							c.end(t, b)
							b.start(t)
						}()
					})
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			select {
			case <-back:
			default:
				<-back
				t.Fatal("the run was over before the broker was back: nothing was tested")
			}
			balanced(t, result)
			for form, f := range result.Forms {
				a := f.Orders
				if a.Placed != orders || a.Completed != orders || a.Unanswered > 0 || f.Incomplete > 0 {
					t.Errorf("%s: %+v, %d journeys incomplete: each order must be answered and completed", form, a, f.Incomplete)
				}
				if form == services.GRPC && a.Errors > 0 {
					t.Errorf("calls need no broker, and %d of them failed", a.Errors)
				}
			}
		})
	}
}
