package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"tracelab/journey/format"
)

// RefusedError reports input that is whole, but of a kind that is not read: another tool's traces, or not traces at all. Find
// it with errors.As.
type RefusedError struct {
	Input string // file and line, or the file
	Kind  string // what it is, such as "a Datadog trace"
	Hint  string // the way to a file that is read
}

// Error says what the input is, and how to get one that is read.
func (e *RefusedError) Error() string {
	text := format.Escape(e.Kind)
	if text == "" {
		text = "no trace document"
	}
	if e.Input != "" {
		text = e.Input + ": " + text
	}
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// Hints that several kinds share.
const (
	hintOTLP = "export the spans as OTLP instead, to a file or to a collector with a file exporter"
	hintRead = "give OTLP traces (JSON, JSON lines or protobuf), Jaeger JSON or Zipkin JSON"
)

// otherKinds lists kinds that are recognized by their fields; the first that matches counts. To add one, add a row here, and
// a row with a sample in the test.
var otherKinds = []struct {
	fields     []string
	name, hint string
}{
	{[]string{"Traces.Segments.Document"}, "an answer of AWS X-Ray (BatchGetTraces), which is not read", hintOTLP},
	{[]string{"Segments.Document"}, "a trace of AWS X-Ray, which is not read", hintOTLP},
	{[]string{"trace_id", "id", "start_time", "name"}, "a segment of AWS X-Ray, which is not read", hintOTLP},
	{[]string{"data.type", "data.attributes.span_id"}, "an answer of Datadog's API, which is not read", hintOTLP},
	{[]string{"data.type", "data.attributes"}, "an answer of Datadog's API, which is not read", hintOTLP},
	{[]string{"traces.trace_id", "traces.span_id"}, "a Datadog trace as its agent takes it, which is not read", "send it to a collector's datadog receiver and write it with the file exporter"},
	{[]string{"trace_id", "span_id", "service", "resource", "duration"}, "a Datadog trace as its agent takes it (v0.4), which is not read", "send it to a collector's datadog receiver and write it with the file exporter"},
	{[]string{"hits.hits._source"}, "an answer of Elasticsearch, which is not read", hintOTLP},
	{[]string{"trace.id", "transaction.id"}, "a document of Elastic APM, which is not read", hintOTLP},
	{[]string{"transaction.trace_id"}, "an event of Elastic APM, which is not read", hintOTLP},
	{[]string{"span.trace_id"}, "an event of Elastic APM, which is not read", hintOTLP},
	{[]string{"metadata.service"}, "an event of Elastic APM, which is not read", hintOTLP},
	{[]string{"data.spans.durationNano"}, "an answer of SigNoz, which is not read", hintOTLP},
	{[]string{"data.spans.duration_nano"}, "an answer of SigNoz, which is not read", hintOTLP},
	{[]string{"spans.durationNano", "spans.spanId"}, "an answer of SigNoz, which is not read", hintOTLP},
	{[]string{"spans.duration_nano", "spans.span_id"}, "an answer of SigNoz, which is not read", hintOTLP},
	{[]string{"trace.trace_id", "trace.span_id"}, "a download of Honeycomb, which is not read", hintOTLP},
	{[]string{"projectId", "spans.spanId"}, "a trace of Google Cloud Trace (v1), which is not read", hintOTLP},
	{[]string{"traces.projectId", "traces.traceId"}, "an answer of Google Cloud Trace (v1), which is not read", hintOTLP},
	{[]string{"displayName.value", "spanId"}, "a span of Google Cloud Trace (v2), which is not read", hintOTLP},
	{[]string{"spans.displayName.value"}, "spans of Google Cloud Trace (v2), which are not read", hintOTLP},
	{[]string{"SpanContext.TraceID"}, "a span of the Go SDK's stdouttrace exporter, which is not read", "use its OTLP exporter (otlptracehttp or otlptracegrpc) and a collector with a file exporter"},
	{[]string{"context.trace_id", "context.span_id"}, "a span of the Python SDK's console exporter, which is not read", "use its OTLP exporter (opentelemetry-exporter-otlp) and a collector with a file exporter"},
	{[]string{"traces.rootServiceName"}, "an answer to a search in Tempo, which has no spans", "fetch a trace by its id: GET /api/v2/traces/{id}"},
	{[]string{"traces.traceID", "traces.startTimeUnixNano"}, "an answer to a search in Tempo, which has no spans", "fetch a trace by its id: GET /api/v2/traces/{id}"},
	{[]string{"binaryAnnotations"}, "a Zipkin v1 span, which is not read", "fetch it from Zipkin's api/v2"},
	{[]string{"traceId", "annotations.endpoint"}, "a Zipkin v1 span, which is not read", "fetch it from Zipkin's api/v2"},
	{[]string{"traceEvents"}, "a trace of events for Chrome's viewer, not of requests", hintRead},
}

// refuse makes the error for JSON that has none of the fields of a format that is read.
func refuse(s shape, where string) *RefusedError {
	if known := otherKind(s, where); known != nil {
		return known
	}
	return &RefusedError{Input: where, Kind: fmt.Sprintf("no trace document: it has the fields %.80q", strings.Join(s.top(), ", ")), Hint: hintRead}
}

// refuseMissing makes the error for JSON that lacks a field in a place where Jaeger has one.
func refuseMissing(s shape, place, missing, where string) *RefusedError {
	if known := otherKind(s, where); known != nil {
		return known
	}
	return &RefusedError{Input: where, Kind: fmt.Sprintf("no trace document: %s has no field %s", place, missing), Hint: hintRead}
}

func otherKind(s shape, where string) *RefusedError {
	for _, kind := range otherKinds {
		if s.has(kind.fields...) {
			return &RefusedError{Input: where, Kind: kind.name, Hint: kind.hint}
		}
	}
	return nil
}

// refuseText makes the error for JSON that is not an object: a word, a number, a string or a list of them. It returns nil for
// text that is not JSON.
func refuseText(text []byte, where string) *RefusedError {
	text = bytes.Trim(text, " \t\r\n[],")
	what := ""
	switch {
	case !json.Valid([]byte("[" + string(text) + "]")):
		return nil
	case string(text) == "null":
		what = "null"
	case bytes.HasPrefix(text, []byte{'"'}):
		what = "text"
	default:
		what = fmt.Sprintf("%.40s", text)
	}
	return &RefusedError{Input: where, Kind: what + " is no trace document", Hint: hintRead}
}

// How text of other kinds begins. A YAML document begins with a key or a list of them.
var (
	objectOfNode = regexp.MustCompile(`^\{\s*[A-Za-z_]\w*:`)
	spanOfDotNet = regexp.MustCompile(`^Activity\.[A-Za-z]+:`)
	beginsYAML   = regexp.MustCompile(`^(?:---|%YAML|(?:#.*\s+)*(?:- )?["']?[A-Za-z_][\w.-]*["']?:(?:\s|$))`)
)

// refuseHead makes the error for text of a kind that its beginning tells, or returns nil.
func refuseHead(head []byte) *RefusedError {
	switch {
	case objectOfNode.Match(head):
		return &RefusedError{Kind: "output of the Node SDK's console exporter, which is not read", Hint: "use its OTLP exporter (@opentelemetry/exporter-trace-otlp-http) and a collector with a file exporter"}
	case spanOfDotNet.Match(head):
		return &RefusedError{Kind: "output of the .NET SDK's console exporter, which is not read", Hint: "use its OTLP exporter (OpenTelemetry.Exporter.OpenTelemetryProtocol) and a collector with a file exporter"}
	case beginsYAML.Match(head):
		return &RefusedError{Kind: "YAML, which is not read", Hint: "convert it to JSON"}
	}
	return nil
}
