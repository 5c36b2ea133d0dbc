package watch

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/watch/record"
	"tracelab/watch/summary"
)

// stream sends orders: a request, a message, and its handling in a trace of its own, each span in a record of its own.
type stream struct {
	g    *group
	rng  *rand.Rand
	sent []journey.Span
}

func newStream(g *group) *stream {
	return &stream{g: g, rng: rand.New(rand.NewPCG(1, 2))}
}

// send sends n orders, one each 250 ms, and calls between before each.
func (s *stream) send(n int, between func(i int)) {
	for i := range n {
		between(i)
		s.order(uint64(len(s.sent) + 1))
		time.Sleep(250 * time.Millisecond)
	}
}

func (s *stream) order(n uint64) {
	start := time.Now()
	root := pcommon.TraceID(id16(s.rng))
	handled := pcommon.TraceID(id16(s.rng))
	request, message, handling := pcommon.SpanID(id8(n, 1)), pcommon.SpanID(id8(n, 2)), pcommon.SpanID(id8(n, 3))
	batch := []ptrace.Traces{
		one("shop", root, request, pcommon.SpanID{}, ptrace.SpanKindServer, "POST /orders", start, 20*time.Millisecond, nil),
		one("shop", root, message, request, ptrace.SpanKindProducer, "send paid", start.Add(5*time.Millisecond), 5*time.Millisecond, nil),
		one("stock", handled, handling, pcommon.SpanID{}, ptrace.SpanKindConsumer, "process paid", start.Add(30*time.Millisecond), 10*time.Millisecond,
			&journey.Ref{Trace: journey.TraceID(root), Span: journey.SpanID(message)}),
	}
	s.batch(batch)
}

// batch sends traces in any order, each in a record of its own.
func (s *stream) batch(batch []ptrace.Traces) {
	s.rng.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	for _, traces := range batch {
		value, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
		s.g.must(err)
		s.sent = append(s.sent, source.FromTraces(traces, "")...)
		s.value(value)
		if s.rng.IntN(10) == 0 { // exporters send again
			s.value(value)
		}
	}
}

// value sends one record to any partition.
func (s *stream) value(value []byte) {
	r := &kgo.Record{Topic: DefaultTopic, Partition: int32(s.rng.IntN(testInputs)), Value: value}
	s.g.must(s.g.client.ProduceSync(context.Background(), r).FirstErr())
}

func one(service string, trace pcommon.TraceID, id, parent pcommon.SpanID, kind ptrace.SpanKind, name string, start time.Time, took time.Duration, link *journey.Ref) ptrace.Traces {
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(trace)
	span.SetSpanID(id)
	span.SetParentSpanID(parent)
	span.SetKind(kind)
	span.SetName(name)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(took)))
	if kind != ptrace.SpanKindServer {
		span.Attributes().PutStr("messaging.system", "kafka")
		span.Attributes().PutStr("messaging.destination.name", "paid")
		span.Attributes().PutStr("messaging.operation.type", map[bool]string{true: "send", false: "process"}[kind == ptrace.SpanKindProducer])
	}
	if kind == ptrace.SpanKindConsumer {
		span.Attributes().PutStr("messaging.consumer.group.name", "stock")
	}
	if link != nil {
		to := span.Links().AppendEmpty()
		to.SetTraceID(pcommon.TraceID(link.Trace))
		to.SetSpanID(pcommon.SpanID(link.Span))
	}
	return traces
}

func id16(rng *rand.Rand) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:8], rng.Uint64())
	binary.BigEndian.PutUint64(id[8:], rng.Uint64())
	return id
}

func id8(n, of uint64) (id [8]byte) {
	binary.BigEndian.PutUint64(id[:], n<<8|of)
	return id
}

// awaitEnd waits for a watcher that reads to the end. One that does not come there says how far the group is: each mark and each end.
func (g *group) awaitEnd(n *node) {
	g.Helper()
	select {
	case <-n.done:
		g.must(n.err)
		return
	case <-time.After(time.Hour):
	}
	marks := map[string]string{}
	for _, r := range g.records(DefaultGroup + ".marks") {
		marks[string(r.Key)] = string(r.Value)
	}
	ends, err := kadm.NewClient(g.client).ListEndOffsets(context.Background(), DefaultTopic, DefaultGroup+".work")
	g.must(err)
	ends.Each(func(end kadm.ListedOffset) { g.Logf("%s %d ends at %d", end.Topic, end.Partition, end.Offset) })
	g.Fatalf("the watcher %s does not come to the end; the newest marks are %v", n.name, marks)
}

// finish lets a last watcher end with the input, and checks that each span is on the work topic, in the partition of its trace.
func (s *stream) finish() Sums {
	s.g.Helper()
	last := s.g.start("last", func(c *Config) { c.UntilEnd = true })
	s.g.awaitEnd(last)
	found := map[journey.Ref]bool{}
	for _, r := range s.g.records(DefaultGroup + ".work") {
		x, err := record.Decode(r.Value)
		s.g.must(err)
		if to := record.Partition(x.To, testWorks); r.Partition != to {
			s.g.Errorf("a record of %s is in partition %d, want %d", x.To, r.Partition, to)
		}
		for _, b := range x.Spans {
			if span, err := record.DecodeSpan(b); x.Kind == record.Span && err == nil {
				found[span.Ref()] = true
			}
		}
	}
	for i := range s.sent {
		if !found[s.sent[i].Ref()] {
			s.g.Errorf("span %s is lost", s.sent[i].ID)
		}
	}
	s.check()
	return last.sums
}

// check compares the summaries with the judge's word about all spans at once: none is missing, none is wrong, none
// comes twice, and each is in the partition of its root's trace.
func (s *stream) check() {
	s.g.Helper()
	want, got, place := map[string]string{}, map[string]string{}, map[string]int32{}
	for _, j := range journey.NewSet(s.sent).Journeys() {
		if i, rooted := j.Root(); rooted {
			trace := j.Set().Span(i).Trace
			want[trace.String()] = asText(summary.Of(j, ""))
			place[trace.String()] = record.Partition(trace, testWorks)
		}
	}
	for _, r := range s.g.records(DefaultJourneys) {
		root := string(r.Key)
		if got[root] != "" {
			s.g.Errorf("%s was judged twice", root)
		}
		if r.Partition != place[root] {
			s.g.Errorf("the summary of %s is in partition %d, want %d as on the work topic", root, r.Partition, place[root])
		}
		sum, err := summary.Parse(r.Value)
		s.g.must(err)
		if got[root] = asText(sum); got[root] != want[root] {
			s.g.Errorf("the summary of %s is\n%s, want\n%s", root, got[root], want[root])
		}
	}
	for root := range want {
		if got[root] == "" {
			s.g.Errorf("no summary of %s", root)
		}
	}
}

// asText is a summary as text. That of an incomplete journey goes without warnings: they tell of all spans of its traces, and a watcher has those that
// the journey reaches.
func asText(s summary.Summary) string {
	if s.Outcome == summary.Incomplete {
		s.Warnings = nil
	}
	return string(s.JSON())
}

// TestOneWatcher reads a topic to its end: what cannot be read is with the dead letters, and the sums agree.
func TestOneWatcher(t *testing.T) {
	inGroup(t, func(g *group) {
		s := newStream(g)
		s.send(20, func(int) {})
		s.value([]byte("damaged"))
		sums := s.finish()
		if sums.Damaged != 1 || sums.Read != sums.Decoded+sums.Damaged || sums.Spans < 60 {
			t.Errorf("the sums are %s", sums)
		}
		dead := g.records(DefaultTopic + ".dlq")
		if len(dead) != 1 || string(dead[0].Value) != "damaged" || len(dead[0].Headers) != 7 {
			t.Errorf("%d dead letters: %v", len(dead), dead)
		}
	})
}

// TestWatchersComeAndGo lets streams be read by one to three watchers. In the first, one is killed, and comes back under its name. In the second, three are
// killed, of which two come back, one is paused for 30 s, and one ends.
func TestWatchersComeAndGo(t *testing.T) {
	type step struct {
		at   int // order
		does string
		name string
	}
	for _, steps := range testkit.Few(1, [][]step{
		{{0, "start", "a"}, {5, "start", "b"}, {20, "kill", "a"}, {30, "start", "a"}, {40, "", ""}},
		{
			{0, "start", "a"}, {20, "start", "b"}, {40, "start", "c"}, {70, "kill", "b"}, {80, "start", "b"}, {100, "pause", "a"}, {220, "resume", "a"},
			{230, "kill", "c"}, {240, "kill", "a"}, {250, "start", "a"}, {260, "stop", "b"}, {280, "", ""},
		},
	}) {
		inGroup(t, func(g *group) {
			s := newStream(g)
			nodes := map[string]*node{}
			s.send(steps[len(steps)-1].at, func(i int) {
				if i < steps[0].at {
					return
				}
				switch step := steps[0]; step.does {
				case "start":
					nodes[step.name] = g.start(step.name, nil)
				case "kill":
					nodes[step.name].kill()
				case "pause":
					nodes[step.name].pause()
				case "resume":
					nodes[step.name].resume()
				case "stop":
					nodes[step.name].stop()
				}
				steps = steps[1:]
			})
			s.finish()
		})
	}
}

// TestAnotherNumberOfPartitions: a group's place of a trace is fixed.
func TestAnotherNumberOfPartitions(t *testing.T) {
	inGroup(t, func(g *group) {
		<-g.start("a", func(c *Config) { c.UntilEnd = true }).done
		n := g.start("b", func(c *Config) { c.Partitions = testWorks + 1 })
		<-n.done
		if n.err == nil || !strings.Contains(n.err.Error(), "name another --group") {
			t.Errorf("the error is %v", n.err)
		}
	})
}
