package lab_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/otlp"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// patience is how long a run of services elsewhere waits for an answer and for what is to come, where the time that it takes is not what is tested: it
// costs nothing on a calm machine, and a busy one takes many times as long.
const patience = time.Minute

// target is the seven services of a lab, each a system of its own with its own way to an OTLP endpoint, as separate
// processes have it.
type target struct {
	url   string   // of the gateway
	kafka []string // host:port of its brokers
}

// startTarget starts them on a broker of their own; they end with the test. Through stands between the services and the
// endpoint: it may hold spans back. They obey no faults, unless a change says so.
func startTarget(t *testing.T, to string, through func(sdktrace.SpanExporter) sdktrace.SpanExporter, changes ...func(*services.Config)) target {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	http, grpc := freeAddresses(t)
	for _, name := range flows.Order().Services() {
		exporter, err := otlp.NewTraceExporter(t.Context(), endpoint(t, to))
		if err != nil {
			t.Fatal(err)
		}
		gate := newGate(through(exporter))
		queue := telemetry.NewQueue(gate, telemetry.QueueConfig{Interval: 20 * time.Millisecond, GroupBy: services.SpanGroups()})
		config := services.Config{
			Services: []string{name}, HTTP: http, GRPC: grpc, Kafka: cluster.ListenAddrs(), Workers: 8, Network: services.TCP(),
			Telemetry: telemetry.Config{Host: "lab", Instance: name, Version: "test", Processors: []sdktrace.SpanProcessor{queue},
				Propagator: services.Propagator(discard), BaggageKeys: services.BaggageKeys()},
		}
		for _, change := range changes {
			change(&config)
		}
		system, err := services.Start(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			gate.close()
			if err := errors.Join(system.Shutdown(ctx), queue.Shutdown(ctx)); err != nil {
				t.Error(err)
			}
		})
	}
	return target{url: "http://" + http[services.Gateway], kafka: cluster.ListenAddrs()}
}

// gate lets no spans through once it is closed, and gives up those on their way: the run has ended, and its receiver with it, so the spans of the last
// commits have nowhere to go. No timeout stands for that: on a busy machine it would give up spans whose answer is late, though they have come.
type gate struct {
	sdktrace.SpanExporter
	life  context.Context
	close context.CancelFunc
}

func newGate(to sdktrace.SpanExporter) *gate {
	life, end := context.WithCancel(context.Background())
	return &gate{to, life, end}
}

// ExportSpans passes spans on, or says that they are lost.
func (g *gate) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if g.life.Err() != nil {
		return errors.New("nobody takes spans any more")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.life, cancel)()
	return g.SpanExporter.ExportSpans(ctx, spans)
}

func unchanged(e sdktrace.SpanExporter) sdktrace.SpanExporter { return e }

func TestTargetGivesTheSameStructures(t *testing.T) {
	t.Parallel() // most of it is waiting
	inProcess := quickly(t, func(c *lab.Config) { c.Orders = 3 })
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, unchanged)
	result, err := lab.Run(t.Context(), lab.Config{
		OneRate: true, Orders: 3, WarmUp: 1, Windows: 1, Seed: 1, Timeout: patience, Deadline: patience, Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, result)
	if len(result.Problems) > 0 || result.Target != to.url || result.Broker != "of the target" {
		t.Errorf("target %q, broker %q, problems %q", result.Target, result.Broker, result.Problems)
	}
	if diff := cmp.Diff(structures(t, inProcess, ""), structures(t, result, "")); diff != "" {
		t.Errorf("-in process +elsewhere:\n%s", diff)
	}
	// Only the client's spans are made in this process, those of the warm-up, too.
	if got, want := result.Spans.Started, int64((3+1)*len(flows.Order().DefaultForms())); got != want {
		t.Errorf("%d spans were started here, want %d", got, want)
	}
}

func TestTargetWithoutFaults(t *testing.T) {
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, unchanged)
	out := t.TempDir()
	_, err := lab.Run(t.Context(), lab.Config{Orders: 1, Target: to.url, ReceiveOTLP: receiver, Out: out, Faults: faults("payment:delay=1ms")})
	if err == nil || !strings.Contains(err.Error(), "do not obey faults: start them with --allow-faults") {
		t.Errorf("faults against services that do not allow them: %v", err)
	}
	if left := names(t, out); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// heldBack is what an exporter does with a span.
type heldBack int

const (
	sent heldBack = iota
	lost
	late
)

// holdBack stands in front of an exporter: it loses spans, and keeps late ones until release is closed. Whoever gave it the late ones does not
// wait for that, so that no timeout of an export decides how long they may be held.
type holdBack struct {
	sdktrace.SpanExporter
	what    func(sdktrace.ReadOnlySpan) heldBack
	release <-chan struct{}
}

// ExportSpans passes on what is not held back.
func (h holdBack) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	var now, later []sdktrace.ReadOnlySpan
	for _, s := range spans {
		switch h.what(s) {
		case sent:
			now = append(now, s)
		case late:
			later = append(later, s)
		case lost:
		}
	}
	if len(later) > 0 {
		go func() {
			<-h.release
			_ = h.SpanExporter.ExportSpans(context.WithoutCancel(ctx), later) // whether they have come is what the test looks at
		}()
	}
	return h.SpanExporter.ExportSpans(ctx, now)
}

// spanOf tells whether a span is that of an order.
func spanOf(s sdktrace.ReadOnlySpan, number, name string) bool {
	for _, a := range s.Attributes() {
		if a.Key == services.KeyNumber {
			return a.Value.AsString() == number && s.Name() == name
		}
	}
	return false
}

// TestIncompleteJourneys loses one span of each of some orders on the way. Each of these is incomplete: counted, named
// with its reason, and in no figure, in the report and when the directory is read back.
func TestIncompleteJourneys(t *testing.T) {
	t.Parallel() // most of it is waiting
	const orders = 8
	// With links only, each process span begins a trace: what is behind a lost one is in no order's journey any more.
	lostSpans := []struct{ number, service, name, why string }{
		{"0", "payment", "payment.Charge", "no span of step payment.Charge"},
		{"1", "shipping", "process payment.captured", "no span of step shipping.Dispatch"},
		{"2", "inventory", "send stock.reserved", "no span of step payment.Charge"},
		{"3", "orders", "orders.Complete", "no span of step orders.Complete"},
		{"4", "gateway", "POST /orders", "no span of step orders.Accept"},
		// The first of three: it only arrives, and leads to nothing that could be missed.
		{"5", "orders", "process order.fulfilled", "2 of 3 deliveries of order.fulfilled have a span"},
	}
	var gone sync.Map // the orders that have lost their span
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, func(e sdktrace.SpanExporter) sdktrace.SpanExporter {
		return holdBack{SpanExporter: e, what: func(s sdktrace.ReadOnlySpan) heldBack {
			for _, l := range lostSpans {
				service, _ := s.Resource().Set().Value("service.name")
				if !spanOf(s, l.number, l.name) || service.AsString() != l.service {
					continue
				}
				if _, again := gone.LoadOrStore(l.number, true); !again {
					return lost
				}
			}
			return sent
		}}
	})
	const deadline = 1500 * time.Millisecond
	began := time.Now()
	result, err := lab.Run(t.Context(), lab.Config{
		Orders: orders, Seed: 1, Forms: []services.Form{services.Kafka}, Relation: relation("link"), Deadline: deadline,
		Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < deadline {
		t.Errorf("it took %v: a span that is missing was given up before the deadline", took)
	}
	balanced(t, result)
	f := result.Forms[services.Kafka]
	if f.Incomplete != len(lostSpans) || f.Journeys != orders-len(lostSpans) {
		t.Errorf("%d complete, %d incomplete, want %d incomplete", f.Journeys, f.Incomplete, len(lostSpans))
	}
	if f.CallerWait.N != f.Journeys || f.Completion.N != f.Journeys || f.Tail.N != f.Journeys || f.QueueWait.N != f.Journeys || f.Response.N != orders {
		t.Errorf("%d complete journeys, in the figures %d, %d, %d, %d, and %d responses", f.Journeys, f.CallerWait.N, f.Completion.N, f.Tail.N, f.QueueWait.N, f.Response.N)
	}
	if f.Orders.Completed != orders || len(f.Orders.Problems()) > 0 {
		t.Errorf("the orders themselves are fine: %+v", f.Orders)
	}
	problems := strings.Join(result.Problems, "\n")
	if !strings.Contains(problems, "kafka: 6 journeys are incomplete and in no figure: ") {
		t.Errorf("problems %q", result.Problems)
	}
	reasons := incompleteOrders(t, result)
	for _, l := range lostSpans {
		if why := reasons["kafka/"+l.number]; !strings.Contains(why, l.why) {
			t.Errorf("order %s without %s of %s: %q, want %q", l.number, l.name, l.service, why, l.why)
		}
	}
	if len(reasons) != len(lostSpans) {
		t.Errorf("incomplete orders %v", slices.Sorted(maps.Keys(reasons)))
	}
	if read := group(t, result, services.Kafka); len(read) != f.Journeys {
		t.Errorf("the directory gives %d journeys, want the %d complete ones", len(read), f.Journeys)
	}
}

// TestLateSpansCompleteAJourney holds the last work's span back until the journeys are being judged. However long
// nothing comes, the journey is not given up before the deadline, and it is complete as soon as the span is there.
func TestLateSpansCompleteAJourney(t *testing.T) {
	const silence, deadline = 400 * time.Millisecond, patience
	receiver := receiverAddress(t)
	release := make(chan struct{})
	to := startTarget(t, receiver, func(e sdktrace.SpanExporter) sdktrace.SpanExporter {
		return holdBack{SpanExporter: e, release: release, what: func(s sdktrace.ReadOnlySpan) heldBack {
			if spanOf(s, "1", "orders.Complete") {
				return late
			}
			return sent
		}}
	})
	began := time.Now()
	result, err := lab.Run(t.Context(), lab.Config{
		Orders: 2, Seed: 1, Forms: []services.Form{services.Hybrid}, Timeout: patience, Deadline: deadline,
		Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir(),
		Progress: func(at lab.Progress) {
			if at.Stage == "judging the journeys" {
				time.AfterFunc(silence, func() { close(release) })
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := result.Forms[services.Hybrid]; f.Journeys != 2 || f.Incomplete != 0 || len(result.Problems) > 0 {
		t.Errorf("%d complete, %d incomplete, problems %q", f.Journeys, f.Incomplete, result.Problems)
	}
	if took := time.Since(began); took < silence || took >= deadline {
		t.Errorf("it took %v, want it to end when the span came, after %v", took, silence)
	}
}

// endpoint is an OTLP address that the test knows to be right.
func endpoint(t testing.TB, address string) otlp.Endpoint {
	t.Helper()
	e, err := otlp.ParseEndpoint(address)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// destination sends everything to one address, and nothing to "".
func destination(t *testing.T, address string) otlp.Destination {
	t.Helper()
	d, err := otlp.ParseDestination(address, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return d
}
