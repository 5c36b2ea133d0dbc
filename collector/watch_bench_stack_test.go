//go:build stack

package collector_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/watch"
)

// BenchmarkWatchers has one and two watchers, each on one core, judge 8,000 orders that wait in a real Kafka.
//
//	go test -tags stack -run '^$' -bench 'Watchers$' -benchtime 1x -count 3 ./collector
func BenchmarkWatchers(b *testing.B) { benchGroups(b, 8000, wholeCore) }

// BenchmarkWatchersOfAQuarter has one and two watchers, each with a quarter of a core, judge 24,000 orders that wait in a real Kafka: so the machine's other
// cores are Kafka's, and what limits is the watchers. Root, and control groups of the CPU, are needed.
//
//	go test -tags stack -run '^$' -bench WatchersOfAQuarter -benchtime 1x -timeout 1h ./collector
func BenchmarkWatchersOfAQuarter(b *testing.B) {
	if _, err := os.Stat(cpuGroups); err != nil {
		b.Skip(err)
	}
	benchGroups(b, 24000, quarterOfACore)
}

// benchGroups lets one and two watchers judge a backlog, each under a limit.
func benchGroups(b *testing.B, backlog int, limit func(*testing.B) func(pid int)) {
	for _, relation := range []string{"both", "link"} {
		orders := labOrders(b, relation)
		for n := 1; n <= 2; n++ {
			b.Run(fmt.Sprintf("%s/watchers=%d", relation, n), func(b *testing.B) { benchWatchers(b, orders, n, backlog, limit) })
		}
	}
}

func benchWatchers(b *testing.B, orders []ptrace.Traces, n, backlog int, limit func(*testing.B) func(pid int)) {
	kafka := startOwnKafka(b)
	s := newBacklog(b, kafka.address, orders)
	for s.orders < backlog {
		s.send(len(orders))
	}
	judged := readJourneys(b, kafka.address)
	w := startWatchers(b, kafka.address, "--quiet", "4100ms", "--window", "6s", "--memory", "4000")
	broker := cpu(b, kafka.pid)
	b.ResetTimer()
	for i := range n {
		name := string(rune('a' + i))
		add := limit(b)
		w.start(name, "GOMAXPROCS=1")
		add(w.running[name].PID())
	}
	for len(judged.of) < s.orders {
		judged.read(b)
	}
	b.StopTimer() // b.N is 1
	millions := float64(s.spans) / 1e6
	b.ReportMetric(float64(s.spans)/w.cpu().Seconds(), "spans/watcher-cpu-s")
	b.ReportMetric((cpu(b, kafka.pid)-broker).Seconds()/millions, "kafka-cpu-s/Mspans")
	b.ReportMetric(float64(s.spans)/b.Elapsed().Seconds(), "spans/s")
	b.ReportMetric(b.Elapsed().Seconds(), "s")
	b.ReportMetric(0, "ns/op")
	for name, process := range w.running {
		b.Logf("watcher %s: %v of CPU time", name, cpu(b, process.PID()))
	}
}

// cpuGroups is where a control group of the CPU is a folder; of the first version of control groups.
const cpuGroups = "/sys/fs/cgroup/cpu"

// quarterOfACore makes a control group that gets 25 ms of every 100, and returns what puts a process into it. Call it before the process is started, so that
// the group is removed when the process has ended.
func quarterOfACore(b *testing.B) (add func(pid int)) {
	b.Helper()
	group := filepath.Join(cpuGroups, fmt.Sprintf("tracelab-watcher-%d", time.Now().UnixNano()))
	if err := os.Mkdir(group, 0o755); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { awaitSlowly(b, "an empty control group", func() error { return os.Remove(group) }) })
	set := func(file string, value int) {
		if err := os.WriteFile(filepath.Join(group, file), []byte(strconv.Itoa(value)), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	set("cpu.cfs_period_us", 100_000)
	set("cpu.cfs_quota_us", 25_000)
	return func(pid int) { set("cgroup.procs", pid) }
}

// wholeCore limits nothing beyond GOMAXPROCS=1.
func wholeCore(*testing.B) (add func(pid int)) { return func(int) {} }

// BenchmarkWatcherKilled kills one of two watchers after 90 s of a steady stream, starts it again under its name, and reports how much is read again and when
// the group judges again.
//
//	go test -tags stack -run '^$' -bench WatcherKilled -benchtime 1x ./collector
func BenchmarkWatcherKilled(b *testing.B) {
	orders := labOrders(b, "link")
	for _, rate := range []int{50, 200} {
		for _, window := range []time.Duration{6 * time.Second, time.Minute} {
			b.Run(fmt.Sprintf("orders=%d/window=%v", rate, window), func(b *testing.B) {
				benchKilled(b, orders, rate, window)
			})
		}
	}
}

func benchKilled(b *testing.B, orders []ptrace.Traces, rate int, window time.Duration) {
	kafka := startOwnKafka(b)
	s := newBacklog(b, kafka.address, orders)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			s.send(rate / 10)
			<-ticker.C
		}
	}()
	judged := readJourneys(b, kafka.address)
	w := startWatchers(b, kafka.address, "--window", window.String())
	w.start("a")
	w.start("b")
	for begin := time.Now(); time.Since(begin) < 30*time.Second+window; {
		judged.read(b)
	}
	behind := s.uncommitted()
	killed := time.Now()
	w.killAndStart("b")
	for judged.last.Before(killed.Add(watch.HoldAfter)) { // what was judged before it was known that b is away
		judged.read(b)
	}
	b.ReportMetric(float64(behind)/2, "records-again")
	b.ReportMetric(judged.last.Sub(killed).Seconds(), "s-to-verdict")
	b.ReportMetric(cpu(b, w.running["b"].PID()).Seconds(), "cpu-s-to-verdict")
	b.ReportMetric(0, "ns/op")
	cancel()
	<-sending
}

// labOrders are the traces of 1,000 orders of the lab.
func labOrders(b *testing.B, relation string) (orders []ptrace.Traces) {
	b.Helper()
	dir := b.TempDir()
	if out, err := exec.CommandContext(b.Context(), programs.tracelab, "run", "--forms", "kafka", "--relation", relation, "--orders", "1000", "--timeout", "1m",
		"--warm-up", "0", "--out", dir).CombinedOutput(); err != nil {
		b.Logf("%v:\n%s", err, out) // the machine is slow
	}
	lines, err := os.ReadFile(filepath.Join(dir, "latest", "kafka.otlp.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		order, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(bytes.TrimSpace(line))
		if err != nil {
			b.Fatal(err)
		}
		orders = append(orders, order)
	}
	return orders
}

// backlog sends orders to the input, again and again, each time as other traces.
type backlog struct {
	b       *testing.B
	client  *kgo.Client
	samples []ptrace.Traces
	orders  int // sent
	spans   int
}

func newBacklog(b *testing.B, kafka string, samples []ptrace.Traces) *backlog {
	b.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka), kgo.DefaultProduceTopic(watch.DefaultTopic), kgo.ProducerBatchCompression(kgo.ZstdCompression()),
		kgo.ProducerBatchMaxBytes(5<<20), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	return &backlog{b: b, client: client, samples: samples}
}

// send sends n orders, ten in a record.
func (s *backlog) send(n int) {
	var records []*kgo.Record
	for batch := range slices.Chunk(slices.Repeat(s.samples, 1+n/len(s.samples))[:n], 10) {
		all := ptrace.NewTraces()
		for _, order := range batch {
			s.orders++
			s.another(order).ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
		}
		s.spans += all.SpanCount()
		value, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(all)
		if err != nil {
			s.b.Error(err)
			return
		}
		records = append(records, &kgo.Record{Value: value})
	}
	if err := s.client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		s.b.Error(err)
	}
}

// another is an order with trace ids of its own.
func (s *backlog) another(order ptrace.Traces) ptrace.Traces {
	other := ptrace.NewTraces()
	order.CopyTo(other)
	for _, resource := range other.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				span.SetTraceID(s.renamed(span.TraceID()))
				for _, link := range span.Links().All() {
					link.SetTraceID(s.renamed(link.TraceID()))
				}
			}
		}
	}
	return other
}

func (s *backlog) renamed(id [16]byte) [16]byte {
	for i := range 4 {
		id[i] ^= byte(s.orders >> (8 * i))
	}
	return id
}

// uncommitted is how many records of the work topic would be read again.
func (s *backlog) uncommitted() int64 {
	lags, err := kadm.NewClient(s.client).Lag(context.Background(), watch.DefaultGroup+".work")
	if err != nil {
		s.b.Fatal(err)
	}
	lag := lags[watch.DefaultGroup+".work"]
	return lag.Lag.Total()
}

// cpu is the processor time of the watchers that run.
func (w *watchers) cpu() (sum time.Duration) {
	for _, name := range slices.Sorted(maps.Keys(w.running)) {
		sum += cpu(w.t, w.running[name].PID())
	}
	return sum
}

// cpu is the processor time that a process has taken, by its kernel: in hundredths of a second.
func cpu(t testing.TB, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name may have blanks in it
	fields := strings.Fields(after)
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
