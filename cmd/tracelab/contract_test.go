package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/services"
	"tracelab/services/flows"
)

// printed runs a command that prints JSON and reads it.
func printed(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var out, talk bytes.Buffer
	if status := run(t.Context(), append(args, "--format", "json"), nil, &out, &talk); status != exitDone {
		t.Fatalf("%q: exit status %d: %s", args, status, talk.String())
	}
	var document map[string]any
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return document
}

// summaries writes the lines of a summary at each of the paths.
func summaries(percentiles string, paths ...string) string {
	var b strings.Builder
	for _, path := range paths {
		fmt.Fprintf(&b, "%[1]s: object\n%[1]s.n: number\n%[1]s.median: number\n%[1]s.low: number\n%[1]s.high: number\n%[1]s.p95: %[2]s\n%[1]s.p99: %[2]s\n", path, percentiles)
	}
	return b.String()
}

const differenceContract = `
	.base: string
	.other: string
	.measure: string
	.paired: bool
	.n: number
	.delta: number
	.low: number
	.high: number
	.verdict: string
	.doubtful: bool?
`

// differences writes the lines of a list of differences.
func differences(path string) string {
	lines := path + ": list\n" + path + "[]: object\n"
	for line := range strings.Lines(strings.TrimSpace(differenceContract)) {
		lines += path + "[]" + strings.TrimSpace(line) + "\n"
	}
	return lines
}

func TestRunJSON(t *testing.T) {
	t.Parallel()
	document := printed(t, "run", "--orders", "6", "--warm-up", "1", "--rate", "20", "--fault", "payment:delay=1ms", "--out", t.TempDir())
	// With six orders there are intervals and no percentiles.
	warnings := ".warnings: list\n.warnings[]: string?\n"
	holds(t, document, `
		.schema: string
		.run: string
		.dir: string
		.seed: number
		.flow: string
		.topology: string
		.relation: string
		.broker: string
		.broker_is: string
		.stores: string
		.machine: object
		.machine.os: string
		.machine.arch: string
		.machine.cpu: string?
		.machine.cores: number
		.version: string
		.go: string
		.rate: number
		.faults: list
		.faults[]: string
		.warm_up_orders: number
		.form_order: list
		.form_order[]: string
		.step_order: list
		.step_order[]: string
		.base: string
		.warm_up: object
		.warm_up.windows: number
		.warm_up.warm: bool
		.warm_up.why: string
		.starvation: object
		.starvation.share: number
		.starvation.gaps: number
		.starvation.longest_ms: number
		.late_spans: number
		.foreign_spans: number
		.damaged_batches: number
		.generator: object
		.generator.rate: number
		.generator.start_lag_p50_ms: number
		.generator.start_lag_p99_ms: number
		.generator.start_lag_max_ms: number
		.generator.on_time_rate: number
		.generator.lowest_rate_tried: number
		.generator.late_at_rate: number?
		.generator.highest_rate_tried: number?
		.forms: object
		.forms.*: object
		.forms.*.reach: object
		.forms.*.reach.caller_trace_spans: number
		.forms.*.reach.caller_trace_steps: number
		.forms.*.reach.links: number
		.forms.*.reach.sent_spans: number
		.forms.*.reach.received_spans: number
		.forms.*.reach.processed_spans: number
		.forms.*.orders: object
		.forms.*.orders.placed: number
		.forms.*.orders.accepted: number
		.forms.*.orders.refused: number
		.forms.*.orders.unknown: number
		.forms.*.orders.completed: number
		.forms.*.orders.failed: number
		.forms.*.orders.pending: number
		.forms.*.orders.answered: number
		.forms.*.orders.errors: number
		.forms.*.orders.unanswered: number
		.forms.*.journeys: number
		.forms.*.incomplete: number
		.forms.*.traces: number
		.forms.*.spans: number
		.forms.*.dropped_spans: number
		.forms.*.marked: string
		.forms.*.effects: object
		.forms.*.effects.once: number
		.forms.*.effects.skipped: number
		.forms.*.effects.twice: number
		.forms.*.faulted: object
		.forms.*.faulted.hit: object
		.forms.*.faulted.hit.orders: number
		.forms.*.faulted.not_hit: object
		.forms.*.faulted.not_hit.orders: number
		.forms.*.faulted.not_hit.caller_wait_ms: null
		.forms.*.faulted.not_hit.completion_ms: null
		.forms.*.faulted.failed_in_answer: number
		.forms.*.faulted.fired: list
		.forms.*.faulted.fired[]: object
		.forms.*.faulted.fired[].drawn: number
		.forms.*.faulted.fired[].fault: string
		.forms.*.faulted.fired[].fired: number
		.forms.*.faulted.fired[].orders: number
		.forms.*.faulted.fired[].reached: number
		.forms.*.faulted.heard_after_ms: null
		.forms.*.faulted.failed_later: number
		.forms.*.faulted.failed_unanswered: number
		.forms.*.faulted.ended_after_ms: null
		.comparisons[].marked: string
		.shared_spans: number
		.spans: object
		.spans.started: number
		.spans.exported: number
		.spans.dropped: number
		.otlp_spans_sent: number
		.records_skipped: number
		.problems: list
	`+warnings+differences(".comparisons")+
		summaries("null", ".forms.*.caller_wait_ms", ".forms.*.response_ms", ".forms.*.completion_ms", ".forms.*.tail_ms",
			".forms.*.faulted.hit.caller_wait_ms", ".forms.*.faulted.hit.completion_ms")+
		strings.Replace(summaries("null", ".forms.*.queue_wait_ms"), ": object", ": null or object", 1))

	if document["schema"] != "tracelab.run/v1" {
		t.Errorf("schema %q", document["schema"])
	}
	var forms []services.Form
	for form, column := range document["forms"].(map[string]any) {
		forms = append(forms, services.Form(form))
		messages := form == string(services.Kafka) || form == string(services.Hybrid)
		if has := column.(map[string]any)["queue_wait_ms"] != nil; has != messages {
			t.Errorf("%s has a queue wait: %v", form, has)
		}
	}
	if slices.Sort(forms); !slices.Equal(forms, slices.Sorted(slices.Values(flows.Order().DefaultForms()))) {
		t.Errorf("forms %q", forms)
	}
	var pairs []string
	for _, d := range document["comparisons"].([]any) {
		d := d.(map[string]any)
		if d["paired"] != true || d["n"] != 6.0 {
			t.Errorf("%v: want six pairs", d)
		}
		if !slices.Contains([]string{"less", "more", "~"}, d["verdict"].(string)) {
			t.Errorf("verdict %q", d["verdict"])
		}
		if !slices.Contains([]string{"caller_wait_ms", "completion_ms", "tail_ms", "queue_wait_ms"}, d["measure"].(string)) {
			t.Errorf("measure %q", d["measure"])
		}
		pairs = append(pairs, fmt.Sprintf("%s %s", d["base"], d["other"]))
	}
	if got, want := slices.Compact(pairs), []string{"grpc rest", "grpc kafka", "rest kafka", "grpc hybrid", "rest hybrid", "kafka hybrid"}; !slices.Equal(got, want) {
		t.Errorf("compared: %q, want each form with those before it, grpc first, then the table's order: %q", got, want)
	}
	manifest, err := os.ReadFile(filepath.Join(document["dir"].(string), "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	var saved map[string]any
	if err := json.Unmarshal(manifest, &saved); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(document, saved); diff != "" {
		t.Errorf("the report and run.json differ:\n%s", diff)
	}
}

func TestCompareJSON(t *testing.T) {
	t.Parallel()
	made := printed(t, "run", "--orders", "6", "--warm-up", "1", "--rate", "200", "--forms", "hybrid,kafka", "--out", t.TempDir())
	document := printed(t, "compare", made["dir"].(string))
	delete(document, "nodes") // has tests of its own
	for _, group := range document["groups"].([]any) {
		delete(group.(map[string]any), "structures")
	}
	holds(t, document, `
		.schema: string
		.groups: list
		.groups[]: object
		.groups[].name: string
		.groups[].journeys: number
		.groups[].spans: number
		.groups[].doubt: string?
		.warnings: list
		.warnings[]: string?
	`+summaries("null", ".groups[].caller_wait_ms", ".groups[].completion_ms", ".groups[].tail_ms", ".groups[].queue_wait_ms")+differences(".measures"))
	if document["schema"] != "tracelab.compare/v1" {
		t.Errorf("schema %q", document["schema"])
	}
}
