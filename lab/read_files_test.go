package lab_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/lab"
	"tracelab/lab/rundir"
)

// names lists a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name()
	}
	return list
}

// readSpans reads a file of OTLP/JSON lines: the spans of each line.
func readSpans(t *testing.T, file string) [][]ptrace.Span {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]ptrace.Span
	for line := range bytes.Lines(text) {
		traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, len(lines)+1, err)
		}
		var spans []ptrace.Span
		for _, resource := range traces.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					spans = append(spans, span)
				}
			}
		}
		lines = append(lines, spans)
	}
	return lines
}

// readOrders reads a run's orders.jsonl.
func readOrders(t *testing.T, result *lab.Result) []rundir.Order {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(result.Dir, "orders.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var orders []rundir.Order
	for line := range bytes.Lines(text) {
		var o rundir.Order
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		orders = append(orders, o)
	}
	return orders
}

// incompleteOrders says of each order that is in no figure why, by "form/number".
func incompleteOrders(t *testing.T, result *lab.Result) map[string]string {
	t.Helper()
	reasons := map[string]string{}
	for _, o := range readOrders(t, result) {
		if o.Incomplete != "" {
			reasons[o.Form+"/"+strconv.Itoa(o.Number)] = o.Incomplete
		}
	}
	return reasons
}

func attributeOf(span ptrace.Span, key string) string {
	if value, ok := span.Attributes().Get(key); ok {
		return value.AsString()
	}
	return ""
}
