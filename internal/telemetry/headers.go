package telemetry

import (
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/text"
)

// Limits of what a span keeps of one hop's headers.
const (
	maxValueBytes = 8192 // of one value: as much baggage as may travel
	maxNameBytes  = 256  // of one name
	maxHeaders    = 64
)

// keptHeaders lists the headers whose values are kept. Others may be secret, so only their names are.
var keptHeaders = []string{"traceparent", "tracestate", "baggage", "content-type", "content-encoding"}

// OtherHeaders is the attribute with the names of the headers whose values are not kept.
const OtherHeaders = "tracelab.headers.other"

// Attributes with the values of a header, by what carries it; the header's name in lower case follows. Those of HTTP and gRPC are of the
// OpenTelemetry conventions, which have none for messages: that one is what the Java instrumentation writes when it is told to.
const (
	HTTPHeader    = "http.request.header."
	GRPCHeader    = "rpc.request.metadata."
	MessageHeader = "messaging.header."
)

// Headers records on spans the headers that were written, or read, at a hop. The zero value records nothing.
type Headers struct{ on bool }

// On reports whether headers are recorded.
func (h Headers) On() bool { return h.on }

// Transport records, on the span of each request's context, the headers that go out. Put it below the instrumentation, which
// writes some of them.
func (h Headers) Transport(base http.RoundTripper) http.RoundTripper {
	if !h.on {
		return base
	}
	return recordingTransport{base, h}
}

type recordingTransport struct {
	base    http.RoundTripper
	headers Headers
}

// RoundTrip records and passes on.
func (t recordingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.headers.Record(trace.SpanFromContext(r.Context()), HTTPHeader, Lines(r.Header))
	return t.base.RoundTrip(r)
}

// Lines yields the headers of HTTP, or gRPC metadata, value by value, in the alphabetical order of their names.
func Lines(headers map[string][]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			for _, value := range headers[name] {
				if !yield(name, value) {
					return
				}
			}
		}
	}
}

// Record puts the headers of one hop on a span: those that its sender wrote, or its receiver read. A header that occurs several times
// has several values, in their order. Bytes that are not UTF-8 are written as Go escapes them.
func (h Headers) Record(span trace.Span, prefix string, headers iter.Seq2[string, string]) {
	if h.on && span.IsRecording() {
		span.SetAttributes(h.Attributes(prefix, headers)...)
	}
}

// Attributes are those that Record puts on a span.
func (h Headers) Attributes(prefix string, headers iter.Seq2[string, string]) []attribute.KeyValue {
	if !h.on {
		return nil
	}
	values, names, others := map[string][]string{}, []string{}, []string{}
	n := 0
	for name, value := range headers {
		if n++; n > maxHeaders {
			others = append(others, "…")
			break
		}
		name = text.Cut(text.Clean(strings.ToLower(name)), maxNameBytes)
		switch {
		case !slices.Contains(keptHeaders, name):
			if !slices.Contains(others, name) {
				others = append(others, name)
			}
			continue
		case values[name] == nil:
			names = append(names, name)
		}
		values[name] = append(values[name], shownValue(value))
	}
	var attributes []attribute.KeyValue
	for _, name := range names {
		attributes = append(attributes, attribute.StringSlice(prefix+name, values[name]))
	}
	if len(others) > 0 {
		slices.Sort(others)
		attributes = append(attributes, attribute.StringSlice(OtherHeaders, others))
	}
	return attributes
}

func shownValue(value string) string {
	if !utf8.ValidString(value) {
		quoted := strconv.Quote(value)
		value = quoted[1 : len(quoted)-1]
	}
	return text.Cut(value, maxValueBytes)
}
