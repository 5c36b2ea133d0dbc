//go:build stack

package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/broker"
	"tracelab/internal/rabbitmq"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// mortal is a real broker that a test may kill, and the form whose orders it carries.
type mortal struct {
	form    services.Form
	flags   []string // that name it to services
	restart func() error
}

// ownKafka starts one.
func ownKafka(t *testing.T) mortal {
	t.Helper()
	b := broker.Broker{Dir: t.TempDir()}
	p, err := b.Start(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(context.Background(), t.Output()); err != nil {
			t.Error(err)
		}
	})
	b.Port = portOf(t, p.Address)
	return mortal{services.Kafka, []string{"--kafka", p.Address}, func() error {
		err := syscall.Kill(p.PID, syscall.SIGKILL)
		if err == nil {
			p, err = b.Start(context.Background(), t.Output())
		}
		return err
	}}
}

// ownRabbitMQ starts one.
func ownRabbitMQ(t *testing.T) mortal {
	t.Helper()
	n := rabbitmq.Node{Dir: t.TempDir(), Child: true}
	p, err := n.Start(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background(), t.Output()); err != nil {
			t.Error(err)
		}
	})
	n.Port = portOf(t, p.Address)
	return mortal{"rabbitmq", []string{"--rabbitmq", p.Address}, func() error {
		err := n.Kill(context.Background())
		if err == nil {
			_, err = n.Start(context.Background(), t.Output())
		}
		return err
	}}
}

// portOf is where a broker listens, and comes back.
func portOf(t *testing.T, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestEverythingKilledInTurn kills (SIGKILL) the broker and then every service, the gateway last, each in a process and with a store of its own, while
// 2,000 orders arrive, and starts each again at once. What was accepted is done, each step with its effect once; the sums hold, and the report says what
// clients and traces have missed. Then one of the services is asked to stop (SIGTERM) while orders arrive: it finishes and acknowledges what it has begun,
// so that nothing comes again.
func TestEverythingKilledInTurn(t *testing.T) {
	program := filepath.Join(t.TempDir(), "tracelab")
	if text, err := exec.Command("go", "build", "-o", program, "../cmd/tracelab").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for name, start := range map[string]func(*testing.T) mortal{"kafka": ownKafka, "rabbitmq": ownRabbitMQ} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits, mostly
			everythingKilled(t, program, start(t))
		})
	}
}

func everythingKilled(t *testing.T, program string, m mortal) {
	const orders = 2000
	http, grpc := freeAddresses(t)
	receiver := receiverAddress(t)
	files := t.TempDir()
	args := slices.Concat(pairs("--http", http), pairs("--grpc", grpc), m.flags, []string{"--otlp", receiver, "--host", "lab"})
	running := map[string]*process{}
	names := flows.Order().Services()
	for _, name := range names {
		running[name] = startProcess(t, program, name, append(slices.Clone(args), "--store", filepath.Join(files, name))...)
	}
	kills := []func() error{m.restart}
	for _, name := range slices.Backward(names) { // the gateway is the first of them
		kills = append(kills, func() error { return running[name].killed() })
	}
	config := lab.Config{
		Forms: []services.Form{m.form}, Orders: orders, Rate: 60, Seed: 1, Relation: relation("both"), Target: "http://" + http[services.Gateway], ReceiveOTLP: receiver,
		Timeout: 30 * time.Second, Deadline: 30 * time.Second, Out: t.TempDir(), Version: "test",
	}
	result := runInTurn(t, config, kills)
	f := result.Forms[m.form]
	a, e := f.Orders, f.Effects
	t.Logf("%+v, %+v, %d journeys incomplete; problems %q", a, e, f.Incomplete, result.Problems)
	if a.Placed != orders || a.Placed != a.Accepted+a.Refused+a.Unknown || a.Accepted != a.Completed || a.Placed != a.Answered+a.Errors+a.Unanswered {
		t.Errorf("%+v: want %d placed, and each that was accepted completed", a, orders)
	}
	if e.Twice > 0 || e.Once != a.Accepted*len(flows.Order().Steps()) {
		t.Errorf("%+v: want each step of %d orders to have its effect once", e, a.Accepted)
	}
	if a.Accepted < orders/2 || e.Skipped == 0 {
		t.Errorf("%d of %d accepted, %d handlings came again: the kills have hit too much, or nothing", a.Accepted, orders, e.Skipped)
	}
	said, missed := strings.Join(result.Problems, "\n"), a.Errors+a.Unanswered
	for words, n := range map[string]int{fmt.Sprintf("%d of %d orders have no 2xx answer", missed, orders): missed, fmt.Sprintf("%d journeys are incomplete", f.Incomplete): f.Incomplete} {
		if n > 0 && !strings.Contains(said, words) {
			t.Errorf("no %q in the problems: %q", words, result.Problems)
		}
	}
	config.Orders, config.Out = 180, t.TempDir()
	stopped := running["payment"]
	f = runInTurn(t, config, []func() error{stopped.terminated}).Forms[m.form]
	if a, e := f.Orders, f.Effects; a.Accepted != config.Orders || a.Completed != config.Orders || e.Twice+e.Skipped > 0 {
		t.Errorf("%s was asked to stop: %+v, %+v, want all completed, and nothing handled again: %s", stopped.name, a, e, stopped.text())
	}
}

// terminated ends the process as an orchestrator would, and starts it again at the same addresses. It does not wait until it is ready.
func (p *process) terminated() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", p.name, err, p.text())
	}
	return p.begin()
}

// runInTurn runs a lab, and ends one part after the other while orders get their answers.
func runInTurn(t *testing.T, config lab.Config, ends []func() error) *lab.Result {
	t.Helper()
	answered, done := make(chan int, 1), make(chan error, 1)
	go func() { done <- endInTurn(ends, answered, config.Orders) }()
	config.Progress = func(p lab.Progress) {
		select {
		case <-answered: // the newest figure alone
		default:
		}
		answered <- p.Answered
	}
	result, err := lab.Run(t.Context(), config)
	close(answered)
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	return result
}

// endInTurn ends one after the other while orders get their answers, evenly over all of them. Services are ended when the broker is back: without it
// they do not start.
func endInTurn(ends []func() error, answered <-chan int, orders int) error {
	next := 0
	for n := range answered {
		for next < len(ends) && n > (next+1)*orders/(len(ends)+2) { // several at once where a broker takes its time to come back
			if err := ends[next](); err != nil {
				return err
			}
			next++
		}
	}
	if next < len(ends) {
		return errors.New("the run was over before everything was ended")
	}
	return nil
}
