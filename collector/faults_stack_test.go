//go:build stack

package collector_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"golang.org/x/sys/unix"
)

// TestTroubleBehindTheCollectorIsVisible: each way in which Jaeger cannot be reached has its signs in the Collector's own metrics and log, and only
// an answer that says "never" costs spans. These are the signs by which `tracelab doctor` names the trouble.
func TestTroubleBehindTheCollectorIsVisible(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	for name, c := range map[string]struct {
		address string
		status  string // of the exports
		log     string
		lost    bool
	}{
		"wrong port":              {freePort(t), "UNAVAILABLE", "connection refused", false},
		"wrong name":              {"nobody.invalid:4317", "UNAVAILABLE", "Exporting failed. Will retry", false},
		"a port for HTTP/1":       {j.http, "UNAVAILABLE", "looked like an HTTP/1.1 header", false},
		"TLS":                     {tlsEndpoint(t), "UNAVAILABLE", "error reading server preface", false},
		"no answer":               {silentListener(t), "DEADLINE_EXCEEDED", "context deadline exceeded", false},
		"gRPC, but nobody's OTLP": {j.grpc, "UNIMPLEMENTED", "unknown service opentelemetry.proto.collector.trace.v1.TraceService", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := startCollector(t, collectorOptions{jaeger: c.address})
			s := newSender(t, collector.otlp, telemetry.QueueConfig{})
			s.journeys(10)
			s.finish(t)
			await(t, "signs of the trouble", func() error {
				all := page(t, collector.metrics)
				if sum(all, "rpc_client_call_duration_count", "rpc_response_status_code", c.status) == 0 {
					return fmt.Errorf("no export with status %s", c.status)
				}
				if !collector.logged(t, c.log) {
					return fmt.Errorf("the log does not say %q", c.log)
				}
				want := spanSums{accepted: 40, queued: 40}
				if c.lost {
					want = spanSums{accepted: 40, failed: 40}
				}
				return collector.hasSums(t, want)
			})
			if health := get(t, "http://"+collector.health+"/status", ""); health == "" {
				t.Error("the Collector's health is that of the Collector, not of Jaeger")
			}
		})
	}
}

// freePort is an address where nobody listens.
func freePort(t testing.TB) string {
	t.Helper()
	return newJaeger(t).otlp
}

func tlsEndpoint(t testing.TB) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// silentListener takes connections and says nothing.
func silentListener(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }() // when the test is over
		}
	}()
	return listener.Addr().String()
}

// deafListener has a full backlog: who connects gets no answer to the SYN, as from a host that is gone.
func deafListener(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(bound.(*syscall.SockaddrInet4).Port))
	for range 10 { // the kernel takes one or two
		conn, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Fatal("a listener with a backlog of 0 took ten connections")
	return ""
}

// TestAFullDiskRefuses: with Jaeger away and no room on the disk, what does not fit into the queue is refused, the sender counts it as dropped,
// and what was taken arrives when there is room again and then Jaeger. A limit on the size of files stands for the disk.
func TestAFullDiskRefuses(t *testing.T) {
	t.Parallel()
	j := newJaeger(t)
	c := startCollector(t, collectorOptions{jaeger: j.otlp, limit: 512})
	s := newSender(t, c.otlp, telemetry.QueueConfig{Timeout: time.Second})
	await(t, "all exports are stuck, so that nothing is read from the queue", func() error {
		s.journeys(1)
		if n := sum(page(t, c.metrics), "otelcol_exporter_in_flight_requests", "data_type", "traces"); n != 4 {
			return fmt.Errorf("%.0f exports at work, want 4", n)
		}
		return nil
	})
	await(t, "the disk is full", func() error {
		s.journeys(200)
		if dropped := s.queue.Counts().Dropped; dropped < 500 {
			return fmt.Errorf("%d dropped", dropped)
		}
		return nil
	})
	counts := s.finish(t)
	sums := c.sums(t)
	// Spans whose acceptance the sender did not hear of in time are dropped for it: accepted ≥ exported is what holds.
	if sums.accepted < float64(counts.Exported) || sums.accepted == 0 || sums.refused < 500 {
		t.Errorf("%+v at the Collector and %+v at the sender: what was exported was accepted, and some spans were refused", sums, counts)
	}
	if failed := sum(page(t, c.metrics), "otelcol_exporter_enqueue_failed_spans"); failed != sums.refused {
		t.Errorf("%.0f spans did not get into the queue, %.0f were refused", failed, sums.refused)
	}
	if !c.logged(t, "Exporting failed. Rejecting data.") || !c.logged(t, "file too large") {
		t.Error("the log does not say why")
	}
	var limit unix.Rlimit
	if err := unix.Prlimit(c.PID(), unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(c.PID(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit.Max, Max: limit.Max}, nil); err != nil {
		t.Fatal(err)
	}
	j.start(t)
	s.awaitArrival(t, j)
}

// TestAFullQueueRefuses is the same for the queue's own limit.
func TestAFullQueueRefuses(t *testing.T) {
	t.Parallel()
	j := newJaeger(t)
	c := startCollector(t, collectorOptions{jaeger: j.otlp, configs: []string{"yaml:exporters::otlp_grpc/jaeger::sending_queue::queue_size: 1000"}})
	s := newSender(t, c.otlp, telemetry.QueueConfig{Batch: 100, Timeout: 500 * time.Millisecond})
	s.journeys(300)
	counts := s.finish(t)
	if counts.Exported > 1000 || counts.Exported == 0 {
		t.Errorf("%+v: want at most 1000 of 1200 to fit", counts)
	}
	// An answer that was lost makes the sender offer the batch again, or drop what was accepted.
	if sums := c.sums(t); sums.accepted > 1000 || sums.accepted < float64(counts.Exported) || sums.queued != sums.accepted || sums.refused == 0 {
		t.Errorf("%+v at the Collector, %+v at the sender: want a full queue", sums, counts)
	}
	j.start(t)
	s.awaitArrival(t, j)
}
