//go:build stack

package collector_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/poll"
	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/watch"
	"tracelab/watch/summary"
)

// Of the stream that watchers judge.
const (
	watchedOrders = 1500 // of each relation
	watchedRate   = 100  // orders a second: with tests beside it, too, messages wait shorter than watchers do
	orderSpans    = 25
)

// TestWatchersJudgeTheLab has `tracelab watch` judge what the lab sends through the Collector and an Apache Kafka at 100 orders a second, first with both
// relations, then by links alone, while watchers join, are killed (-9) and come back, and Kafka is restarted. Each journey of the run
// directories is judged once, its summary has the bytes that the directory's spans give, and the metrics count it once.
func TestWatchersJudgeTheLab(t *testing.T) {
	kafka := startOwnKafka(t)
	c := startWithKafka(t, "", kafka.address, watch.DefaultTopic)
	w := startWatchers(t, kafka.address, "--quiet", "8s", "--window", "20s", "--otlp", c.otlp)
	w.metrics = c
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
	w.awaitStart("a")
	kafka.restart()
	judged.await(t, 1)
	w.killAndStart("c") // between verdicts
	w.awaitExport("b")
	w.killAndStart("b") // what it exported counts once, and what it did not is counted by the next
	want := journeysIn(t, <-runs)
	judged.await(t, len(want))
	w.awaitEnd()
	w.awaitMeasured(len(want))
	w.stop()
	for judged.read(t) {
	}
	for root, text := range want {
		if judged.of[root] != text {
			t.Fatalf("the summary of %s is\n%s, want\n%s", root, judged.of[root], text)
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
func awaitSlowly(t testing.TB, what string, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	if err := poll.Until(ctx, 200*time.Millisecond, func(context.Context) error { return check() }); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// runLab places orders for each relation, one after the other, and returns the run directories. On a busy machine orders may be late, which changes nothing here.
func runLab(t testing.TB, otlp string, relations ...string) (dirs []string) {
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
	last   time.Time         // when the newest was written
}

func readJourneys(t testing.TB, kafka string) *journeyTopic {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka), kgo.ConsumeTopics(watch.DefaultJourneys), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &journeyTopic{client: client, of: map[string]string{}}
}

// await reads until there are n summaries.
func (j *journeyTopic) await(t testing.TB, n int) {
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
func (j *journeyTopic) read(t testing.TB) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	fetches := j.client.PollFetches(ctx)
	fetches.EachRecord(func(r *kgo.Record) {
		root := string(r.Key)
		if before, judged := j.of[root]; judged {
			t.Fatalf("%s was judged twice:\n%s and\n%s", root, before, r.Value)
		}
		j.of[root] = string(r.Value)
		j.last = r.Timestamp
	})
	return fetches.NumRecords() > 0
}
