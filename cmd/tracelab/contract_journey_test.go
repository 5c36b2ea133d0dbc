package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
)

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
	t.Parallel()
	made := printed(t, "run", "--orders", "3", "--warm-up", "1", "--forms", "kafka", "--relation", "link", "--out", t.TempDir())
	forgetStarved(t, made["dir"].(string))
	document := printed(t, "journey", made["dir"].(string))
	document["warnings"] = []any{} // on a busy machine there are some at times; those of the journey without a root are below
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
