package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"tracelab/internal/vocabulary"
)

// startError starts a lab's services and returns why that failed; nothing may be left of it.
func (l *testLab) startError() error {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	system, err := Start(ctx, l.config)
	if err == nil {
		l.system = system
		l.must(l.stop(patience))
	}
	return err
}

func TestPortInUse(t *testing.T) {
	before := goleak.IgnoreCurrent()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for what, use := range map[string]func(*Config){
		"http": func(c *Config) { c.HTTP = map[string]string{Shipping: taken.Addr().String()} },
		"grpc": func(c *Config) { c.GRPC = map[string]string{Shipping: taken.Addr().String()} },
	} {
		l := newTestLab(t, TCP(), "127.0.0.1:0")
		use(&l.config)
		err := l.startError()
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), Shipping) ||
			!strings.Contains(err.Error(), "another address") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line that names the service, the port and what to do", what, err)
		}
		l.config.HTTP, l.config.GRPC = nil, nil
		l.start() // what the failed start has taken is free again
		l.must(l.stop(patience))
		l.closeBrokers()
	}
	goleak.VerifyNone(t, before)
}

func TestUnknownService(t *testing.T) {
	before := goleak.IgnoreCurrent()
	l := newTestLab(t, TCP(), "127.0.0.1:0")
	l.config.Services = []string{Gateway, "bakery"}
	err := l.startError()
	if unknown, ok := errors.AsType[*vocabulary.UnknownError](err); !ok || unknown.Word != "bakery" || !slices.Equal(unknown.Known, Names()) {
		t.Errorf("%v, want the word and the list", err)
	}
	l.closeBrokers()
	goleak.VerifyNone(t, before)
}

// TestBrokerUnreachable: nobody listens there, or somebody does who does not answer.
func TestBrokerUnreachable(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.must(l.stop(patience))
		deaf, err := l.config.Network.Listen("tcp", "127.0.0.1:9092")
		l.must(err)
		defer func() { _ = deaf.Close() }()
		go func() {
			for {
				conn, err := deaf.Accept()
				if err != nil {
					return
				}
				go func() { // reads and says nothing
					defer func() { _ = conn.Close() }()
					for buf := make([]byte, 1024); ; {
						if _, err := conn.Read(buf); err != nil {
							return
						}
					}
				}()
			}
		}()
		for _, address := range []string{"127.0.0.1:9", "127.0.0.1:9092"} {
			l.config.Kafka = []string{address}
			begin := time.Now()
			err := l.startError()
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("%s: it took %v to find out, want 5s at the most", address, took)
			}
			if err == nil || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "--kafka") {
				t.Errorf("%s: %v, want the address and what to do", address, err)
			}
		}
	})
}

// TestAStartThatFailsHalfway: one service is refused by the broker, the others have joined it. Nothing is left of them.
func TestAStartThatFailsHalfway(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.must(l.stop(patience))
		l.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: "order.placed", Err: kerr.TopicAuthorizationFailed})
		if err := l.startError(); err == nil || !strings.Contains(err.Error(), "order.placed") || !strings.Contains(err.Error(), "AUTHORIZATION") {
			t.Errorf("%v, want what the broker has refused", err)
		}
		l.start() // with the same ports and groups
		if s := l.await(l.place(in("r", Kafka), tea).id()); s.Status != Completed {
			t.Errorf("an order after the second start: %s, want completed", s.Status)
		}
	})
}

// TestNoBroker: the call forms work without one, the others say what is missing.
func TestNoBroker(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for form, want := range map[Form]int{REST: 201, GRPC: 201, Kafka: 503, Hybrid: 503} {
			a := l.place(in("r", form), tea)
			if a.status != want || want == 503 && !strings.Contains(a.problem(t).Detail, "--kafka") {
				t.Errorf("%s: answered %d %s, want %d", form, a.status, a.body, want)
			}
		}
	}, func(c *Config) { c.Kafka = nil })
}

// TestServicesApart: each in a system of its own, as processes are, find each other by address.
func TestServicesApart(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.must(l.stop(patience))
		var systems []*System
		for _, service := range Names() {
			config := l.config
			config.Services = []string{service}
			system, err := Start(l.Context(), config)
			l.must(err)
			systems = append(systems, system)
		}
		for _, system := range systems {
			l.must(system.Ready(l.Context()))
		}
		l.system = systems[0]
		for _, form := range Forms() {
			checkSteps(l, in("r", form))
		}
		ready := func() int { status, _ := l.probe(Gateway, "/readyz"); return status }
		if ready() != 200 {
			t.Error("the gateway is not ready though all are there")
		}
		l.must(systems[3].Shutdown(l.Context()))
		if ready() != 503 {
			t.Error("the gateway is ready though payment is gone")
		}
		a := l.place(in("r", REST), tea)
		if p := a.problem(t); a.status != 503 || p.Type != "/problems/unreachable" || !strings.Contains(p.Detail, Payment) {
			t.Errorf("with payment gone: answered %d %+v, want 503 and its name", a.status, p)
		}
		for i, system := range systems {
			if i != 3 {
				l.must(system.Shutdown(l.Context()))
			}
		}
		l.system = nil
	})
}

// TestAServerThatEnds by itself is told.
func TestAServerThatEnds(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.must(l.system.nodes[2].listeners.http.Close())
		select {
		case err := <-l.system.Failed():
			if !strings.Contains(err.Error(), Inventory) {
				t.Errorf("%v, want the service's name", err)
			}
		case <-time.After(time.Second):
			t.Error("nobody says that a server has ended")
		}
		if err := l.stop(patience); err == nil {
			t.Error("Shutdown: no error, want that of the server")
		}
	})
}

func TestReadyGivesUp(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.must(l.stop(patience))
		hold := make(chan struct{})
		l.cluster.ControlKey(int16(kmsg.SyncGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
			l.cluster.SleepControl(func() { <-hold })
			return nil, nil, false
		})
		l.config.Services = []string{Orders}
		system, err := Start(l.Context(), l.config)
		l.must(err)
		l.system = system
		ctx, cancel := context.WithTimeout(l.Context(), time.Second)
		defer cancel()
		if err := system.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "kafka group orders") {
			t.Errorf("%v, want what is missing", err)
		}
		if status, body := l.probe(Orders, "/readyz"); status != 503 || !strings.Contains(fmt.Sprint(body), "kafka group orders") {
			t.Errorf("readyz: %d %v, want 503 and what is missing", status, body)
		}
		close(hold)
		l.must(system.Ready(l.Context()))
	})
}
