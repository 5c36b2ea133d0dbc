package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestWatchSendsMetrics has a watcher judge a run out of Kafka: what it sends over OTLP names the journeys' roots and itself.
func TestWatchSendsMetrics(t *testing.T) {
	t.Parallel() // a group of watchers tells how far it is by the real clock: most of this is waiting
	dir := t.TempDir()
	output(t, "run", "--forms", "kafka", "--orders", "3", "--warm-up", "0", "--out", dir)
	spans, err := os.ReadFile(filepath.Join(dir, "latest", "kafka.otlp.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "otlp_spans"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for line := range bytes.Lines(spans) {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "otlp_spans", Value: bytes.TrimSpace(line)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	received := newMetricsSink(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var text, talk bytes.Buffer
	code := run(ctx, []string{"watch", "--kafka", cluster.ListenAddrs()[0], "--until-end", "--quiet", "4001ms", "--otlp", received.url}, nil, &text, &talk)
	if code != exitDone {
		t.Fatalf("exit status %d: %s", code, talk.String())
	}
	all := received.text()
	for _, want := range []string{"tracelab.journey.judged", "tracelab.journey.tail", "tracelab.watch.partitions.behind", "tracelab.watch.traces", "tracelab-watch", "client "} {
		if !strings.Contains(all, want) {
			t.Errorf("%q was not sent; the watcher said %s", want, talk.String())
		}
	}
}
