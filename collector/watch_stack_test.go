//go:build stack

package collector_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/broker"
	"tracelab/internal/parts"
	"tracelab/internal/poll"
	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/watch"
	"tracelab/watch/summary"
)

// Of the stream that watchers judge.
const (
	watchedOrders = 1500 // of each relation
	watchedRate   = 200  // orders a second
	orderSpans    = 25
)

// TestWatchersJudgeTheLab has `tracelab watch` judge what the lab sends through the Collector and an Apache Kafka at 200 orders a second, first with both
// relations, then by links alone, while watchers join, are killed (-9) and come back, and Kafka is restarted. Each journey of the run
// directories is judged once, and its summary has the bytes that the directory's spans give.
func TestWatchersJudgeTheLab(t *testing.T) {
	kafka := startOwnKafka(t)
	c := startWithKafka(t, "", kafka.address, watch.DefaultTopic)
	w := &watchers{t: t, kafka: kafka.address, running: map[string]*parts.Process{}}
	w.start("a")
	judged := readJourneys(t, kafka.address)
	runs := make(chan []string, 1)
	go func() { runs <- runLab(t, c.otlp, "both", "link") }()
	c.awaitSent(t, 0.1)
	w.start("b") // and gets partitions in mid-run
	c.awaitSent(t, 0.25)
	w.killAndStart("b")
	c.awaitSent(t, 0.4)
	w.start("c")
	c.awaitSent(t, 0.5)
	w.killAndStart("a")
	c.awaitSent(t, 0.6)
	kafka.restart()
	judged.await(t, 1)
	w.killAndStart("c") // between verdicts
	want := journeysIn(t, <-runs)
	judged.await(t, len(want))
	w.awaitEnd()
	w.stop()
	for judged.read(t) {
	}
	for root, text := range want {
		if judged.of[root] != text {
			t.Errorf("the summary of %s is\n%s, want\n%s", root, judged.of[root], text)
		}
	}
	if len(judged.of) != len(want) {
		t.Errorf("%d journeys are judged, want %d", len(judged.of), len(want))
	}
}

// awaitSent waits until a share of the stream's spans is on Kafka.
func (c *collector) awaitSent(t *testing.T, share float64) {
	t.Helper()
	awaitSlowly(t, fmt.Sprintf("%.0f %% of the spans on Kafka", 100*share), func() error {
		if got := c.toKafka(t).sent; got < 2*watchedOrders*orderSpans*share {
			return fmt.Errorf("%.0f spans", got)
		}
		return nil
	})
}

// awaitSlowly is await for a question that takes work from the programs that are waited for.
func awaitSlowly(t *testing.T, what string, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	if err := poll.Until(ctx, 200*time.Millisecond, func(context.Context) error { return check() }); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// ownKafka is an Apache Kafka that this test may restart.
type ownKafka struct {
	t *testing.T
	broker.Broker
	address string
}

func startOwnKafka(t *testing.T) *ownKafka {
	t.Helper()
	k := &ownKafka{t: t, Broker: broker.Broker{Dir: t.TempDir()}}
	k.start()
	t.Cleanup(k.stop)
	if err := broker.MakeTopic(t.Context(), k.address, watch.DefaultTopic, 4, 5<<20); err != nil {
		t.Fatal(err)
	}
	return k
}

// start starts it, the second time at the same address.
func (k *ownKafka) start() {
	k.t.Helper()
	process, err := k.Broker.Start(k.t.Context(), k.t.Output())
	if err != nil {
		k.t.Fatal(err)
	}
	k.address = process.Address
	_, port, _ := strings.Cut(process.Address, ":")
	if k.Port, err = strconv.Atoi(port); err != nil {
		k.t.Fatal(err)
	}
}

func (k *ownKafka) stop() {
	if err := k.Broker.Stop(context.Background(), k.t.Output()); err != nil {
		k.t.Error(err)
	}
}

func (k *ownKafka) restart() {
	k.t.Helper()
	k.stop()
	k.start()
}

// watchers are processes of `tracelab watch` in one group.
type watchers struct {
	t       *testing.T
	kafka   string
	running map[string]*parts.Process
}

func (w *watchers) start(name string) {
	w.t.Helper()
	process, err := parts.Start(context.Background(), parts.Command{
		Name: "watcher " + name, Path: programs.tracelab, Log: filepath.Join(w.t.TempDir(), "watcher.log"),
		Args: []string{"watch", "--kafka", w.kafka, "--instance", name, "--quiet", "4100ms", "--window", "6s"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.running[name] = process
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("end of the log of watcher %s:\n%s", name, process.LogTail(20))
		}
		if err := process.Kill(); err != nil {
			w.t.Error(err)
		}
	})
}

// killAndStart kills a watcher with SIGKILL, and starts it again under its name.
func (w *watchers) killAndStart(name string) {
	w.t.Helper()
	if err := w.running[name].Kill(); err != nil {
		w.t.Fatal(err)
	}
	w.start(name)
}

// watchSums are the sums in a watcher's last line.
var watchSums = regexp.MustCompile(`(\d+) records read = (\d+) decoded \+ 0 damaged, \d+ spans; ` +
	`(\d+) traces seen = (\d+) judged \+ 0 incomplete \+ (\d+) parts of others \+ 0 shared \+ 0 without a root \+ 0 evicted \+ 0 open; `)

// awaitEnd waits until the group has closed every trace: only then its offsets are committed up to the end.
func (w *watchers) awaitEnd() {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.kafka))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	const group = watch.DefaultGroup + ".work"
	awaitSlowly(w.t, "the end of all traces", func() error {
		lags, err := kadm.NewClient(client).Lag(w.t.Context(), group)
		if err != nil {
			return err
		}
		if lag := lags[group]; lag.Error() != nil || lag.Lag.Total() > 0 {
			return fmt.Errorf("%d records are not committed, %v", lag.Lag.Total(), lag.Error())
		}
		return nil
	})
}

// stop ends the watchers, and checks their sums. A killed one has taken its own with it.
func (w *watchers) stop() {
	w.t.Helper()
	for name, process := range w.running {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := process.Stop(ctx)
		cancel()
		last := process.LogTail(1)
		m := watchSums.FindStringSubmatch(last)
		if err != nil || m == nil {
			w.t.Errorf("watcher %s: %v, %s: want nothing damaged, incomplete, shared, rootless, evicted or open", name, err, last)
			continue
		}
		n := make([]int, len(m))
		for i := range n[1:] {
			n[i+1], _ = strconv.Atoi(m[i+1])
		}
		if n[1] != n[2] || n[3] != n[4]+n[5] {
			w.t.Errorf("watcher %s: the sums do not balance: %s", name, last)
		}
		w.t.Logf("watcher %s: %s", name, last)
	}
}

// runLab places orders for each relation, one after the other, and returns the run directories. On a busy machine orders may be late, which changes nothing here.
func runLab(t *testing.T, otlp string, relations ...string) (dirs []string) {
	for _, relation := range relations {
		dir := t.TempDir()
		out, err := exec.CommandContext(t.Context(), programs.tracelab, "run", "--forms", "kafka", "--relation", relation, "--orders", strconv.Itoa(watchedOrders),
			"--rate", strconv.Itoa(watchedRate), "--timeout", "1m", "--warm-up", "0", "--otlp", otlp, "--out", dir).CombinedOutput()
		if !strings.Contains(string(out), " + dropped 0;") {
			t.Errorf("relation %s: %v, want no spans dropped:\n%s", relation, err, out)
		}
		dirs = append(dirs, filepath.Join(dir, "latest"))
	}
	return dirs
}

// journeysIn returns the summaries of all journeys in run directories, by the trace of their roots. Each line of a directory is an order.
func journeysIn(t *testing.T, dirs []string) map[string]string {
	t.Helper()
	summaries := map[string]string{}
	for _, dir := range dirs {
		lines, err := os.ReadFile(filepath.Join(dir, "kafka.otlp.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(lines) {
			read, err := source.Read(bytes.NewReader(line), dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range journey.NewSet(read.Spans).Journeys() {
				i, rooted := j.Root()
				if !rooted {
					t.Fatalf("an order without a root: %s", line)
				}
				summaries[j.Set().Span(i).Trace.String()] = string(summary.Of(j, "").JSON())
			}
		}
	}
	if len(summaries) != watchedOrders*len(dirs) {
		t.Errorf("%d journeys in %q, want %d of each", len(summaries), dirs, watchedOrders)
	}
	return summaries
}

// journeyTopic is what the topic of summaries has.
type journeyTopic struct {
	client *kgo.Client
	of     map[string]string // by root
}

func readJourneys(t *testing.T, kafka string) *journeyTopic {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka), kgo.ConsumeTopics(watch.DefaultJourneys), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &journeyTopic{client: client, of: map[string]string{}}
}

// await reads until there are n summaries.
func (j *journeyTopic) await(t *testing.T, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%d summaries", n), func() error {
		j.read(t)
		if len(j.of) < n {
			return fmt.Errorf("there are %d", len(j.of))
		}
		return nil
	})
}

// read reads what comes within a second, and reports whether something came.
func (j *journeyTopic) read(t *testing.T) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	fetches := j.client.PollFetches(ctx)
	fetches.EachRecord(func(r *kgo.Record) {
		root := string(r.Key)
		if before, judged := j.of[root]; judged {
			t.Errorf("%s was judged twice:\n%s and\n%s", root, before, r.Value)
		}
		j.of[root] = string(r.Value)
	})
	return fetches.NumRecords() > 0
}
