package source_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
	"tracelab/journey/source"
)

// flow crosses HTTP and two topics, with a poll that is shared, a consumer that is linked from a trace of its own, and one
// that has both a parent and a link. Its times are whole microseconds, so that every format keeps them.
const flow = `
client CLIENT 0-50
  gateway SERVER 5-45
    gateway.send PRODUCER 10-20 topic=order.placed op=send
inventory.poll CLIENT 15-60 op=receive topic=order.placed link=gateway.send trace=2
inventory.process CONSUMER 70-160 op=process topic=order.placed group=inventory link=gateway.send trace=3
  inventory.db CLIENT 80-120.5
  inventory.send PRODUCER 130-140.25 topic=stock.reserved op=send
payment.process CONSUMER 170-230 op=process topic=stock.reserved group=payment parent=inventory.send link=inventory.send trace=3
  payment.charge 180-220 error app.amount=12
`

func drawn(t testing.TB) []journey.Span {
	t.Helper()
	spans, err := draw.Spans(flow)
	if err != nil {
		t.Fatal(err)
	}
	for i := range spans {
		spans[i].Flags = 1
	}
	return spans
}

// traces writes spans as pdata, a resource for each service.
func traces(spans []journey.Span) ptrace.Traces {
	all := ptrace.NewTraces()
	scopes := make(map[string]ptrace.ScopeSpans)
	for _, s := range spans {
		ss, ok := scopes[s.Service]
		if !ok {
			rs := all.ResourceSpans().AppendEmpty()
			rs.Resource().Attributes().PutStr("service.name", s.Service)
			rs.Resource().Attributes().PutStr("host.name", "host of "+s.Service)
			ss = rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName("library")
			scopes[s.Service] = ss
		}
		copySpan(ss.Spans().AppendEmpty(), s)
	}
	return all
}

func copySpan(to ptrace.Span, s journey.Span) {
	to.SetTraceID(pcommon.TraceID(s.Trace))
	to.SetSpanID(pcommon.SpanID(s.ID))
	to.SetParentSpanID(pcommon.SpanID(s.Parent))
	to.SetName(s.Name)
	to.SetKind(ptrace.SpanKind(s.Kind))
	to.SetStartTimestamp(pcommon.Timestamp(s.Start))
	to.SetEndTimestamp(pcommon.Timestamp(s.End))
	to.SetFlags(s.Flags)
	to.Status().SetCode(ptrace.StatusCode(s.Status))
	for _, a := range s.Attributes {
		to.Attributes().PutStr(a.Key, a.Value.String())
	}
	for _, l := range s.Links {
		link := to.Links().AppendEmpty()
		link.SetTraceID(pcommon.TraceID(l.Trace))
		link.SetSpanID(pcommon.SpanID(l.Span))
	}
}

type object = map[string]any

// jaegerJSON writes spans as Jaeger does: one reference for each target, FOLLOWS_FROM where a parent has a link to it too.
func jaegerJSON(t testing.TB, spans []journey.Span, nest bool) []byte {
	t.Helper()
	byTrace := make(map[journey.TraceID][]any)
	processes := object{}
	var order []journey.TraceID
	written := make(map[journey.Ref]object)
	for _, s := range spans {
		process := "p-" + s.Service
		processes[process] = object{"serviceName": s.Service, "tags": []any{tag("host.name", "host of "+s.Service)}}
		if byTrace[s.Trace] == nil {
			order = append(order, s.Trace)
		}
		out := jaegerSpan(s, written, nest)
		out["processID"] = process
		written[s.Ref()] = out
		byTrace[s.Trace] = append(byTrace[s.Trace], out)
	}
	data := []any{}
	for _, trace := range order {
		data = append(data, object{"traceID": short(trace.String()), "spans": byTrace[trace], "processes": processes, "warnings": nil})
	}
	text, err := json.Marshal(object{"data": data, "total": 0, "limit": 0, "offset": 0, "errors": nil})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// short leaves zeros in front out, as Jaeger does with ids of 64 bits.
func short(trace string) string { return strings.TrimPrefix(trace, "0000000000000000") }

func tag(key, value string) object { return object{"key": key, "type": "string", "value": value} }

func jaegerSpan(s journey.Span, written map[journey.Ref]object, nest bool) object {
	tags := []any{tag("span.kind", strings.ToLower(s.Kind.String())), tag("otel.scope.name", "library"), tag("internal.span.format", "otlp")}
	if s.Status == journey.StatusError {
		tags = append(tags, object{"key": "error", "type": "bool", "value": true}, tag("otel.status_code", "ERROR"))
	}
	for _, a := range s.Attributes {
		tags = append(tags, tag(a.Key, a.Value.String()))
	}
	references := []any{}
	refer := func(r journey.Ref, sort string) {
		out := object{"refType": sort, "traceID": short(r.Trace.String()), "spanID": r.Span.String()}
		if nest && written[r] != nil {
			out["span"] = written[r]
		}
		references = append(references, out)
	}
	parent := journey.Ref{Trace: s.Trace, Span: s.Parent}
	for _, l := range s.Links {
		if l.Ref == parent {
			parent = journey.Ref{}
		}
	}
	if !parent.Span.IsZero() {
		refer(parent, "CHILD_OF")
	}
	for _, l := range s.Links {
		refer(l.Ref, "FOLLOWS_FROM")
	}
	return object{
		"traceID": short(s.Trace.String()), "spanID": s.ID.String(), "operationName": s.Name, "references": references, "flags": s.Flags,
		"startTime": s.Start / 1000, "duration": (s.End - s.Start) / 1000, "tags": tags, "logs": []any{object{"timestamp": 1, "fields": tags}}, "warnings": nil,
	}
}

// delimited puts each part of a collection behind what before makes of it.
func delimited(t testing.TB, spans []journey.Span, before func([]byte) []byte) []byte {
	t.Helper()
	var out []byte
	for i := 0; i < len(spans); i += 4 {
		out = append(out, before(protobuf(t, spans[i:min(i+4, len(spans))]))...)
	}
	return out
}

func protobuf(t testing.TB, spans []journey.Span) []byte {
	t.Helper()
	var m ptrace.ProtoMarshaler
	message, err := m.MarshalTraces(traces(spans))
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func otlpJSON(t testing.TB, spans []journey.Span) []byte {
	t.Helper()
	var m ptrace.JSONMarshaler
	text, err := m.MarshalTraces(traces(spans))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func behindVarint(m []byte) []byte { return append(protowire.AppendVarint(nil, uint64(len(m))), m...) }

func behindFourBytes(m []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(m))), m...)
}

func zstandard(t testing.TB, in []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := z.Close(); err != nil {
			t.Error(err)
		}
	}()
	return z.EncodeAll(in, nil)
}

// formats is the flow in every format that is read.
func formats(t testing.TB) map[string][]byte {
	t.Helper()
	spans := drawn(t)
	document := otlpJSON(t, spans)
	var lines, indented bytes.Buffer
	for i := range spans {
		lines.Write(append(otlpJSON(t, spans[i:i+1]), "\n{\"resourceLogs\":[{}]}\n"...))
	}
	if err := json.Indent(&indented, jaegerJSON(t, spans, false), "", "    "); err != nil {
		t.Fatal(err)
	}
	var data struct{ Data []json.RawMessage }
	if err := json.Unmarshal(jaegerJSON(t, spans, false), &data); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"OTLP/JSON":                              document,
		"OTLP/JSON lines with logs":              lines.Bytes(),
		"OTLP/JSON with a byte order mark":       append([]byte("\xef\xbb\xbf"), document...),
		"api/v3":                                 fmt.Appendf(nil, `{"result":%s}`, document),
		"batches":                                bytes.Replace(document, []byte("resourceSpans"), []byte("batches"), 1),
		"gzip":                                   []byte(gzipped(string(document))),
		"zstd":                                   zstandard(t, document),
		"protobuf":                               protobuf(t, spans),
		"protobuf, gzip":                         []byte(gzipped(string(protobuf(t, spans)))),
		"protobuf, one after another":            delimited(t, spans, func(m []byte) []byte { return m }),
		"protobuf behind varints":                delimited(t, spans, behindVarint),
		"protobuf as the collector's file":       delimited(t, spans, behindFourBytes),
		"protobuf as the collector's file, zstd": delimited(t, spans, func(m []byte) []byte { return behindFourBytes(zstandard(t, m)) }),
		"Jaeger JSON":                            jaegerJSON(t, spans, false),
		"Jaeger JSON, indented":                  indented.Bytes(),
		"Jaeger JSON, spans nested in references":  jaegerJSON(t, spans, true),
		"Jaeger JSON, a trace each, without data":  bytes.Join([][]byte{data.Data[0], data.Data[1], data.Data[2]}, []byte("\n")),
		"Jaeger JSON, gzip":                        []byte(gzipped(string(jaegerJSON(t, spans, false)))),
		"Jaeger JSON in a line, OTLP/JSON in next": append(append(jaegerJSON(t, spans[:4], false), '\n'), otlpJSON(t, spans[4:])...),
	}
}

// judged is what is compared of a journey.
type judged struct {
	Spans                []journey.Span
	Journeys             int
	Response, Completion string
	Messages             []journey.Message
}

func judge(spans []journey.Span) judged {
	set := journey.NewSet(spans)
	j := set.Journeys()[0]
	out := judged{Journeys: len(set.Journeys()), Response: draw.Path(set, j.ResponsePath()), Completion: draw.Path(set, j.CompletionPath()), Messages: j.Messages()}
	for i := range set.Len() {
		s := *set.Span(journey.Index(i))
		s.Source, s.Flags = "", 0
		if s.Resource != nil {
			r := *s.Resource
			s.Resource = &r
		}
		out.Spans = append(out.Spans, s)
	}
	return out
}

func TestTheSameJourneyThroughEveryFormat(t *testing.T) {
	want, err := source.Read(bytes.NewReader(otlpJSON(t, drawn(t))), "f")
	if err != nil {
		t.Fatal(err)
	}
	whole := judge(want.Spans)
	if whole.Journeys != 1 || len(whole.Messages) != 2 || !strings.Contains(whole.Completion, "~message") {
		t.Fatalf("the journey to compare with is %+v", whole)
	}
	// Jaeger keeps one reference where a span has a parent and a link to it.
	coarse := judge(want.Spans)
	coarse.Spans = append([]journey.Span(nil), coarse.Spans...)
	for i := range coarse.Spans {
		if s := &coarse.Spans[i]; !s.Parent.IsZero() {
			s.Links = nil
		}
	}
	for name, in := range formats(t) {
		t.Run(name, func(t *testing.T) {
			r, err := source.Read(bytes.NewReader(in), "f")
			if err != nil {
				t.Fatal(err)
			}
			wanted, notes := whole, 0
			if strings.HasPrefix(name, "Jaeger") {
				notes = 1
				wanted = coarse
			}
			if strings.HasSuffix(name, "in next") {
				wanted = whole
			}
			if d := cmp.Diff(wanted, judge(r.Spans), sameValues); d != "" {
				t.Errorf("the journey differs (-OTLP/JSON +this):\n%s", d)
			}
			if len(r.Warnings) != notes || notes == 1 && r.Warnings[0].Rule != journey.RuleFormatLoss {
				t.Errorf("warnings %v, want %d of rule D11", r.Warnings, notes)
			}
		})
	}
}
