package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/raced"
	"tracelab/journey/source"
)

// refusedAs fails unless input is refused by these words, and as a kind that is not read rather than as damage.
func refusedAs(t *testing.T, why, in string, words ...string) {
	t.Helper()
	r, err := source.Read(strings.NewReader(in), "f")
	var refused *source.RefusedError
	if !errors.As(err, &refused) || r.Damaged > 0 || len(r.Spans) > 0 {
		t.Errorf("%s: %d spans, %d damaged, %v; want a RefusedError", why, len(r.Spans), r.Damaged, err)
		return
	}
	for _, w := range append(words, "f") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %q does not say %q", why, err, w)
		}
	}
	if strings.Contains(err.Error(), "damage") || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("%s: %q", why, err)
	}
}

// Other tools' traces are refused by their names, with the way to a file that is read.
func TestOtherKindsAreRefusedByName(t *testing.T) {
	for file, words := range map[string][]string{
		"datadog-api":        {"Datadog's API", "export the spans as OTLP"},
		"datadog-intake":     {"Datadog trace", "datadog receiver"},
		"datadog-v04":        {"Datadog trace", "v0.4", "datadog receiver"},
		"elastic-apm":        {"Elasticsearch", "OTLP"},
		"gcp-v1":             {"Google Cloud Trace (v1)", "OTLP"},
		"go-stdouttrace":     {"stdouttrace", "otlptracehttp"},
		"honeycomb-download": {"Honeycomb", "OTLP"},
		"py-console":         {"Python SDK's console exporter", "opentelemetry-exporter-otlp"},
		"signoz":             {"SigNoz", "OTLP"},
		"tempo-search":       {"search in Tempo", "GET /api/v2/traces/{id}"},
		"xray-batchget":      {"AWS X-Ray (BatchGetTraces)", "OTLP"},
		"xray-segment":       {"segment of AWS X-Ray", "OTLP"},
	} {
		text, err := os.ReadFile(filepath.Join("testdata/other", file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		refusedAs(t, file, string(text), words...)
		// However it is laid out, and however much there is of it.
		refusedAs(t, file+", on one line", strings.ReplaceAll(string(text), "\n", " "), words[0])
		refusedAs(t, file+", on two lines", strings.Repeat(strings.ReplaceAll(string(text), "\n", " ")+"\n", 2), words[0])
		refusedAs(t, file+", many", strings.Repeat(strings.ReplaceAll(string(text), "\n", " ")+"\n", 1000), words[0])
	}
}

func TestOtherKinds(t *testing.T) {
	raced.OneGoroutine(t)
	const cloud = `{"projectId":"p","traceId":"1","spans":[`
	for _, c := range []struct {
		why, in string
		words   []string
	}{
		{"null", "null\n", []string{"null is no trace document"}},
		{"a number", "12", []string{"12 is no trace document"}},
		{"text", `"traces"`, []string{"text is no trace document"}},
		{"a list of numbers", "[1, 2]", []string{"no trace document"}},
		{"unknown fields", `{"rows":[{"a":1}],"count":2}`, []string{`it has the fields "count, rows"`, "give OTLP traces"}},
		{"names of fields with escapes", `{"\u001b[31mred":1}`, []string{"no trace document"}},
		{"spans without ids", `{"spans":[{"name":"x","duration":5}]}`, []string{"a span in the field spans has no field spanID"}},
		{"spans without ids, of other types", `{"spans":[{"startTime":"now","tags":{}}]}`, []string{"has no field spanID"}},
		{"spans without the id of a trace", `{"spans":[{"spanID":"1","operationName":"x","startTime":1,"duration":5}]}`, []string{"has no field traceID"}},
		{"data without spans", `{"data":[{"id":7}]}`, []string{"an item of the field data has no field spans"}},
		{"data whose spans have no ids", `{"data":[{"spans":[{"name":"x"}]}]}`, []string{"has no field spanID"}},
		{"names of services, as Jaeger lists them", `{"data":["orders","billing"],"total":2}`, []string{"no trace document"}},
		{"an error of Jaeger", `{"error":{"message":"no"}}`, []string{`not traces but an error: "no"`}},
		{"a newer SigNoz", `{"data":{"spans":[{"span_id":"1","trace_id":"2","duration_nano":5,"timestamp":"now"}]}}`, []string{"SigNoz"}},
		{"a long trace of Google", cloud + strings.Repeat(`{"spanId":"1","name":"x","startTime":"2024-01-01T00:00:00Z","labels":{}},`, 30_000) + `{"spanId":"2"}]}`, []string{"Google Cloud Trace"}},
		{"events of Elastic's agents", "{\"metadata\":{\"service\":{\"name\":\"x\"}}}\n{\"transaction\":{\"id\":\"1\",\"trace_id\":\"2\"}}\n", []string{"Elastic APM"}},
		{"a document of Elastic APM", `{"@timestamp":"2024","trace":{"id":"1"},"transaction":{"id":"2"}}`, []string{"Elastic APM"}},
		{"Zipkin v1", `[{"traceId":"1","id":"2","name":"x","annotations":[{"endpoint":{"serviceName":"a"},"timestamp":1,"value":"sr"}],"binaryAnnotations":[]}]`, []string{"Zipkin v1", "api/v2"}},
		{"events for Chrome", `{"traceEvents":[]}`, []string{"Chrome"}},
		{"the Node SDK's console exporter", "{\n  resource: {\n    attributes: { 'service.name': 'x' }\n  },\n  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',\n  name: 'GET',\n}\n", []string{"Node SDK's console exporter", "OTLP"}},
		{".NET's console exporter", "Activity.TraceId:            4bf92f3577b34da6a3ce929d0e0e4736\nActivity.SpanId: 00f067aa0ba902b7\n", []string{".NET SDK's console exporter", "OTLP"}},
		{"YAML", "resourceSpans:\n  - resource:\n      attributes: []\n", []string{"YAML", "JSON"}},
		{"YAML with a head", "---\n# traces\n- traceId: 1\n", []string{"YAML", "JSON"}},
		{"HTML", "<!doctype html>", []string{"HTML"}},
		{"UTF-16", "\xff\xfe{\x00", []string{"UTF-16"}},
		{"zip", "PK\x03\x04", []string{"zip"}},
	} {
		refusedAs(t, c.why, c.in, c.words...)
	}
	if (&source.RefusedError{}).Error() == "" {
		t.Error("an empty RefusedError has no words")
	}
}

// A document of another kind between those that are read is passed over, and said to be.
func TestOtherKindsBetween(t *testing.T) {
	r, err := source.Read(strings.NewReader(document(spanA)+"\n{\"rows\":[]}\nnull\n"+document(spanB)), "f")
	if err != nil || len(r.Spans) != 2 || r.Damaged != 0 || r.Passed != 2 || len(r.Warnings) != 1 || r.Warnings[0].Rule != journey.RuleFormatLoss ||
		!strings.Contains(r.Warnings[0].Text, `documents that are not read: 2; the first is f:2: no trace document: it has the fields "rows"`) {
		t.Errorf("%d spans, %d damaged, %d passed, %v, %v", len(r.Spans), r.Damaged, r.Passed, r.Warnings, err)
	}
	mixed := `{"data":[{"traceID":"1","spans":[{"traceID":"1","spanID":"2"},{"name":"x"},{"spanID":"zz"}],"processes":{}}]}`
	r, err = source.Read(strings.NewReader(mixed), "f")
	if err != nil || len(r.Spans) != 1 || r.Damaged != 2 {
		t.Errorf("spans without ids beside one that has them: %d spans, %d damaged, %v", len(r.Spans), r.Damaged, err)
	}
}

// Names of files and what stands in them do not reach a terminal as they are.
func TestErrorsArePrintable(t *testing.T) {
	const name = "a\x1b[31m\n.json"
	for why, in := range map[string]string{
		"damage":         "\x1b[31m{",
		"an unknown key": `{"a\u001b[31m":1}`,
		"a bad value":    document(strings.Replace(spanA, `"kind":2`, `"kind":"\u001b[2J"`, 1)),
		"nothing":        "",
		"an error":       `{"error":{"message":"\u001b[31m"}}`,
	} {
		r, err := source.Read(strings.NewReader(in), name)
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%s: error %q", why, err)
		}
		for _, w := range r.Warnings {
			if strings.ContainsAny(w.Text, "\x1b\n") {
				t.Errorf("%s: warning %q", why, w.Text)
			}
		}
	}
	if _, err := source.ReadFile(name); err == nil || strings.ContainsAny(err.Error(), "\x1b\n") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %q", err)
	}
	r, err := source.Read(strings.NewReader(document(spanA)), name)
	if err != nil || strings.ContainsAny(r.Spans[0].Source, "\x1b\n") {
		t.Errorf("%+v, %v", r.Spans, err)
	}
}
