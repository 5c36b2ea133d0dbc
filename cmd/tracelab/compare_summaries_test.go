package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/watch/summary"
)

// summariesOnKafka starts a broker with an empty topic and one that has a summary of each of the journeys, twice, over its
// partitions, and the text "hello" once.
func summariesOnKafka(t *testing.T, files ...string) (broker string, journeys int) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "summaries", "empty", "others"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	records := []*kgo.Record{{Topic: "summaries", Value: []byte("hello")}, {Topic: "others", Value: []byte("hello")}}
	for _, file := range files {
		result, err := source.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for k, j := range journey.NewSet(result.Spans).Journeys() {
			s := summary.Of(j, "")
			journeys++
			for again := range 2 {
				records = append(records, &kgo.Record{Topic: "summaries", Partition: int32((k + again) % 3), Value: s.JSON()})
			}
		}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return cluster.ListenAddrs()[0], journeys
}

// first returns the first journey of a file.
func first(t *testing.T, file string) *journey.Journey {
	t.Helper()
	result, err := source.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return journey.NewSet(result.Spans).Journeys()[0]
}

// status runs the command line, and returns its exit status and all that it says.
func status(t *testing.T, words ...string) (int, string) {
	t.Helper()
	var text, talk bytes.Buffer
	code := run(t.Context(), words, nil, &text, &talk)
	return code, text.String() + talk.String()
}

func saysAll(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in\n%s", w, text)
		}
	}
}

// TestSummariesAreASideOfAComparison has one run as summaries and as traces: the figures are the same, on either side.
func TestSummariesAreASideOfAComparison(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	output(t, "run", "--forms", "grpc,kafka", "--orders", "8", "--warm-up", "0", "--out", dir)
	kafka, grpc := filepath.Join(dir, "latest", "kafka.otlp.jsonl"), filepath.Join(dir, "latest", "grpc.otlp.jsonl")
	broker, journeys := summariesOnKafka(t, kafka)
	address := "kafka://" + broker + "/summaries?since=1h"
	of := fmt.Sprintf("%d journeys", journeys)

	code, text := status(t, "compare", address, kafka, "--fail-on", "completion>5%")
	if code != exitDone && code != exitNotSo {
		t.Fatalf("exit status %d: %s", code, text)
	}
	saysAll(t, text, of, "1 of 17 records are no summaries", "nodes and pairs take traces")
	if code, text = status(t, "compare", address, kafka, "--strict"); code == exitDone {
		t.Errorf("--strict takes a record that is no summary: %s", text)
	}

	all := strictSchemas(t)
	for _, words := range [][]string{{address, grpc}, {grpc, address}, {address, address}, {address, "--save", filepath.Join(dir, "saved.json")}, {filepath.Join(dir, "saved.json"), kafka}} {
		var text, talk bytes.Buffer
		if code := run(t.Context(), append([]string{"compare", "--format", "json"}, words...), nil, &text, &talk); code != exitDone {
			t.Fatalf("%v: exit status %d: %s", words, code, talk.String())
		}
		all.holds(t, "compare", strings.Join(words, " "), text.Bytes())
	}
	var same struct{ Groups []map[string]any }
	if err := json.Unmarshal([]byte(output(t, "compare", address, kafka, "--format", "json")), &same); err != nil {
		t.Fatal(err)
	}
	for _, measure := range []string{"journeys", "spans", "caller_wait_ms", "completion_ms", "tail_ms"} {
		if got, want := fmt.Sprint(same.Groups[0][measure]), fmt.Sprint(same.Groups[1][measure]); got != want {
			t.Errorf("%s of summaries is %s, of their traces %s", measure, got, want)
		}
	}
	for _, format := range []string{"html", "markdown", "text"} {
		output(t, "compare", grpc, address, "--format", format)
	}
	root := summary.Of(first(t, kafka), "").Root
	output(t, "compare", address, kafka, "--root", root.Service)
	saysAll(t, output(t, "compare", address+"&root="+url.QueryEscape(root.Service+"/"+root.Name), kafka), of)
}

// TestSummariesAloneAreComparedWithTheTimeBefore: one topic is no comparison, and the error writes the one that is meant.
func TestSummariesAloneAreComparedWithTheTimeBefore(t *testing.T) {
	for address, want := range map[string]string{
		"kafka://a:1,b:2/journeys":                       "compare 'kafka://a:1,b:2/journeys?since=2h&until=1h' 'kafka://a:1,b:2/journeys'",
		"kafka://a:1/journeys?since=20m":                 "compare 'kafka://a:1/journeys?since=40m&until=20m' 'kafka://a:1/journeys?since=20m'",
		"kafka://a:1/journeys?since=90m&until=1h":        "compare 'kafka://a:1/journeys?since=2h&until=1h30m' 'kafka://a:1/journeys?since=90m&until=1h'",
		"kafka://a:1/j?since=24h&root=gateway/POST%20/x": "compare 'kafka://a:1/j?since=48h&until=24h&root=gateway/POST%20/x' ",
		"kafka://a:1/j?since=30s&root=gateway/":          "compare 'kafka://a:1/j?since=1m&until=30s&root=gateway' ",
	} {
		if code, text := status(t, "compare", address); code != exitUsage || !strings.Contains(text, want) || !strings.Contains(text, "--save") {
			t.Errorf("%s: exit status %d: %s\nwant %s", address, code, text, want)
		}
	}
}

// TestSummariesThatCannotBeRead names what is wrong and the way out.
func TestSummariesThatCannotBeRead(t *testing.T) {
	file := filepath.FromSlash("../../journey/testdata/cases/d1-full.json")
	broker, _ := summariesOnKafka(t, file)
	long := "since=" + url.QueryEscape("2001-01-01T00:00:00Z")
	for _, c := range []struct{ address, want string }{
		{"kafka://localhost/x", "has no host and port"},
		{"kafka://" + broker, "names no topic"},
		{"kafka://" + broker + "/x/y", "names no topic"},
		{"kafka://" + broker + "/summaries?since=soon", "neither how long ago (90m) nor a time"},
		{"kafka://" + broker + "/summaries?since=-1h", "neither how long ago"},
		{"kafka://" + broker + "/summaries?form=1h", "there are since, until and root"},
		{"kafka://" + broker + "/summaries?since=1h&until=2h", "is not before until"},
		{"kafka://" + broker + "/summaries?root=/x", "names no service"},
		{"kafka://" + broker + "/summeries", "has no topic summeries"},
		{"kafka://" + broker + "/empty", "look further back with since=24h"},
		{"kafka://" + broker + "/summaries?since=1s", "look further back"},
		{"kafka://" + broker + "/others?" + long, "is a summary: name the topic"},
		{"kafka://" + broker + "/summaries?" + long + "&root=nobody/GET", "has the root nobody/GET: there are "},
		{"kafka://" + testkit.FreePort(t) + "/summaries", "no broker answers"},
	} {
		began := time.Now()
		if code, text := status(t, "compare", c.address, file); code == exitDone || !strings.Contains(text, c.want) {
			t.Errorf("%s: exit status %d in %v: %s\nwant %q", c.address, code, time.Since(began), text, c.want)
		}
	}
	address := "kafka://" + broker + "/summaries?" + long
	for _, words := range []string{"--where a=b", "--without orders", "--include-incomplete"} {
		if code, text := status(t, append([]string{"compare", address, file}, strings.Fields(words)...)...); code != exitUsage || !strings.Contains(text, "which have no spans") {
			t.Errorf("%s: exit status %d: %s", words, code, text)
		}
	}
	if code, text := status(t, "journey", address); code == exitDone || !strings.Contains(text, "which have no spans: compare reads them") {
		t.Errorf("journey: exit status %d: %s", code, text)
	}
}
