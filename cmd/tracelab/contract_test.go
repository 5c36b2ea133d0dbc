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
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
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
		.warnings: list
		.warnings[]: string?
	`+summaries("null", ".groups[].caller_wait_ms", ".groups[].completion_ms", ".groups[].tail_ms", ".groups[].queue_wait_ms")+differences(".measures"))
	if document["schema"] != "tracelab.compare/v1" {
		t.Errorf("schema %q", document["schema"])
	}
}

const journeyContract = `
	.about: list
	.about[]: string
	.schema: string
	.traces: list
	.traces[]: string
	.spans: number
	.unreached: number
	.completion_ns: number
	.completion_path: list
	.completion_path[]: object
	.completion_path[].kind: string
	.completion_path[].class: string?
	.completion_path[].span: string
	.completion_path[].from: string?
	.completion_path[].service: string
	.completion_path[].name: string
	.completion_path[].start_ns: number
	.completion_path[].end_ns: number
	.messages: list
	.messages[]: object
	.messages[].producer: string
	.messages[].consumer: string
	.messages[].group: string
	.messages[].topic: string
	.messages[].publish_ns: number
	.messages[].wait_ns: number
	.messages[].delivery_ns: number
	.messages[].overlap: bool
	.response_path: list
	.warnings: list
`

func TestJourneyJSON(t *testing.T) {
	made := printed(t, "run", "--orders", "3", "--warm-up", "1", "--forms", "kafka", "--relation", "link", "--out", t.TempDir())
	document := printed(t, "journey", made["dir"].(string))
	holds(t, document, journeyContract+`
		.root: object
		.root.span: string
		.root.service: string
		.root.name: string
		.caller_wait_ns: number
		.tail_ns: number
		.response_path[]: object
		.response_path[].kind: string
		.response_path[].span: string
		.response_path[].service: string
		.response_path[].name: string
		.response_path[].start_ns: number
		.response_path[].end_ns: number
	`)
	if document["schema"] != "tracelab.journey/v1" {
		t.Errorf("schema %q", document["schema"])
	}
	touching(t, "completion_path", document, "completion_ns")
	touching(t, "response_path", document, "caller_wait_ns")
	for _, trace := range document["traces"].([]any) {
		if id, err := journey.ParseTraceID(trace.(string)); err != nil || id.String() != trace {
			t.Errorf("trace id %q: %v: want lower-case hex", trace, err)
		}
	}

	rootless := filepath.Join(t.TempDir(), "rootless.jsonl")
	withoutTrace(t, filepath.Join(made["dir"].(string), "kafka.otlp.jsonl"), rootless, document["traces"].([]any)[0].(string))
	document = printed(t, "journey", rootless)
	holds(t, document, journeyContract+".root: null\n.caller_wait_ns: null\n.tail_ns: null\n.warnings[]: object\n.warnings[].rule: string\n.warnings[].span: string\n.warnings[].text: string\n.incomplete: string\n")
	touching(t, "completion_path", document, "completion_ns")
	if path := document["response_path"].([]any); len(path) != 0 {
		t.Errorf("a response path without a root: %v", path)
	}
}

// touching holds that a path's segments are sorted, touch each other, and add up to the total.
func touching(t *testing.T, name string, document map[string]any, total string) {
	t.Helper()
	at := 0.0
	for _, s := range document[name].([]any) {
		s := s.(map[string]any)
		if wait := s["kind"] == "wait"; wait != (s["class"] != nil) || !wait && s["kind"] != "work" {
			t.Errorf("%s: segment %v: only a wait has a class", name, s)
		}
		if s["start_ns"] != at {
			t.Errorf("%s: a segment starts at %v, the one before ends at %v", name, s["start_ns"], at)
		}
		at = s["end_ns"].(float64)
	}
	if at != document[total] {
		t.Errorf("%s ends at %v, %s is %v", name, at, total, document[total])
	}
}

// withoutTrace copies the first order of a file of spans, without the spans of a trace.
func withoutTrace(t *testing.T, from, to, trace string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(line, []byte(trace)) {
			continue
		}
		for _, resource := range traces.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				scope.Spans().RemoveIf(func(s ptrace.Span) bool { return s.TraceID().String() == trace })
			}
		}
		out, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
