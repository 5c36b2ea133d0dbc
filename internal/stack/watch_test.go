//go:build linux || darwin

package stack

import (
	"slices"
	"testing"

	"tracelab/internal/parts"
)

// TestWatchersReadWhatTheCollectorWrites plans a stack with the profile watch, and the usual one without.
func TestWatchersReadWhatTheCollectorWrites(t *testing.T) {
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	project, err := Load(t.Context(), root, []string{"COMPOSE_PROFILES=full", "COLLECTOR_TO_KAFKA=kafka"}, "full", runService, watchProfile)
	if err != nil {
		t.Fatal(err)
	}
	book, err := newAddressBook(project, false)
	if err != nil {
		t.Fatal(err)
	}
	p, err := makePlan(project, book, layout{root: root, state: "/state"})
	if err != nil {
		t.Fatal(err)
	}
	watcher, collector := p.named(t, "watcher"), p.named(t, "collector")
	if want := []string{"watch", "--kafka=127.0.0.1:9092", "--topic=otlp_spans", "--group=tracelab.watch"}; !slices.Equal(watcher.args, want) || watcher.health != "" {
		t.Errorf("the watcher is told %q, its health is at %q, want %q and none", watcher.args, watcher.health, want)
	}
	if got := watcher.variable(t, "TRACELAB_OTLP"); got != "127.0.0.1:4317" {
		t.Errorf("the watcher sends its metrics to %s", got)
	}
	if !slices.Contains(collector.args, "--config="+root+"/collector/kafka.yaml") || collector.variable(t, "COLLECTOR_KAFKA") != "127.0.0.1:9092" {
		t.Errorf("the collector is told %q and Kafka at %s", collector.args, collector.variable(t, "COLLECTOR_KAFKA"))
	}
	usual, _ := planned(t)
	if slices.ContainsFunc(usual.steps, func(s step) bool { return s.name == "watcher" }) || !slices.Contains(usual.named(t, "collector").args, "--config="+root+"/collector/no-kafka.yaml") {
		t.Error("without the profile a watcher is planned, or the collector writes to Kafka")
	}
}
