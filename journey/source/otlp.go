package source

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
)

// FromOTLP reads spans from the protobuf encoding of an OTLP TracesData or ExportTraceServiceRequest message. where becomes
// the Source of each span.
func FromOTLP(message []byte, where string) ([]journey.Span, error) {
	traces, err := unmarshal(message)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return FromTraces(traces, where), nil
}

func unmarshal(message []byte) (ptrace.Traces, error) {
	err := CheckProtobuf(message)
	if err == nil {
		var u ptrace.ProtoUnmarshaler
		var traces ptrace.Traces
		if traces, err = u.UnmarshalTraces(message); err == nil {
			return traces, nil
		}
	}
	return ptrace.Traces{}, fmt.Errorf("not an OTLP protobuf message of traces: %w", err)
}

// FromTraces copies all spans of traces. where becomes the Source of each span.
func FromTraces(traces ptrace.Traces, where string) []journey.Span {
	c := converter{where: where}
	return c.traces(traces)
}

func (c *converter) traces(traces ptrace.Traces) []journey.Span {
	spans := make([]journey.Span, 0, traces.SpanCount())
	for _, rs := range traces.ResourceSpans().All() {
		c.resourceOf(rs.Resource())
		for _, ss := range rs.ScopeSpans().All() {
			c.scope, c.marks = c.text(ss.Scope().Name()), nil
			if a := ss.Scope().Attributes(); a.Len() > 0 {
				c.marks = tailMarks((&converter{}).attributesOf(a))
			}
			c.reserve(ss.Spans())
			for _, s := range ss.Spans().All() {
				spans = append(spans, c.span(s))
				last := &spans[len(spans)-1]
				if len(c.marks) > 0 {
					last.Attributes = append(slices.Clip(last.Attributes), c.marks...)
				}
				liftWarnings(last)
			}
		}
	}
	return spans
}

func (c *converter) resourceOf(r pcommon.Resource) {
	c.resource = &journey.Resource{Attributes: make([]journey.Attribute, 0, r.Attributes().Len())}
	for key, value := range r.Attributes().All() {
		c.resource.Attributes = append(c.resource.Attributes, journey.Attribute{Key: c.text(key), Value: c.value(value)})
	}
	c.service = describe(c.resource)
}

// text returns a string with U+FFFD for bytes that are not UTF-8.
func (c *converter) text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	c.repaired++
	return strings.ToValidUTF8(s, "\uFFFD")
}

// converter copies the spans of one scope. Their attributes share one slice and their links another, to save allocations.
type converter struct {
	service, scope, where string
	resource              *journey.Resource
	attributes            []journey.Attribute
	links                 []journey.Link
	marks                 []journey.Attribute // of the scope
	repaired              int                 // strings that were not UTF-8
}

func (c *converter) reserve(spans ptrace.SpanSlice) {
	attributes, links := 0, 0
	for _, s := range spans.All() {
		attributes += s.Attributes().Len()
		links += s.Links().Len()
		for _, l := range s.Links().All() {
			attributes += l.Attributes().Len()
		}
	}
	c.attributes = make([]journey.Attribute, 0, attributes)
	c.links = make([]journey.Link, 0, links)
}

func (c *converter) span(s ptrace.Span) journey.Span {
	return journey.Span{
		Trace:             journey.TraceID(s.TraceID()),
		ID:                journey.SpanID(s.SpanID()),
		Parent:            journey.SpanID(s.ParentSpanID()),
		Start:             fromTime(s.StartTimestamp()),
		End:               fromTime(s.EndTimestamp()),
		Kind:              journey.Kind(min(uint32(s.Kind()), uint32(math.MaxUint8))),
		Status:            journey.Status(min(uint32(s.Status().Code()), uint32(math.MaxUint8))),
		Service:           c.service,
		Name:              c.text(s.Name()),
		Scope:             c.scope,
		StatusMessage:     c.text(s.Status().Message()),
		Attributes:        c.attributesOf(s.Attributes()),
		Links:             c.linksOf(s.Links()),
		Resource:          c.resource,
		TraceState:        s.TraceState().AsRaw(),
		Flags:             s.Flags(),
		DroppedAttributes: s.DroppedAttributesCount(),
		DroppedEvents:     s.DroppedEventsCount(),
		DroppedLinks:      s.DroppedLinksCount(),
		Source:            c.where,
	}
}

func (c *converter) attributesOf(m pcommon.Map) []journey.Attribute {
	from := len(c.attributes)
	for key, value := range m.All() {
		c.attributes = append(c.attributes, journey.Attribute{Key: c.text(key), Value: c.value(value)})
	}
	return c.attributes[from:len(c.attributes):len(c.attributes)]
}

func (c *converter) linksOf(list ptrace.SpanLinkSlice) []journey.Link {
	from := len(c.links)
	for _, l := range list.All() {
		c.links = append(c.links, journey.Link{
			Ref:               journey.Ref{Trace: journey.TraceID(l.TraceID()), Span: journey.SpanID(l.SpanID())},
			Attributes:        c.attributesOf(l.Attributes()),
			Flags:             l.Flags(),
			DroppedAttributes: l.DroppedAttributesCount(),
		})
	}
	return c.links[from:len(c.links):len(c.links)]
}

// fromTime returns a time in nanoseconds. One beyond the year 2262 becomes the greatest, which package journey reports as out
// of range.
func fromTime(t pcommon.Timestamp) int64 { return int64(min(uint64(t), math.MaxInt64)) }

func (c *converter) value(v pcommon.Value) journey.Value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return journey.StringValue(c.text(v.Str()))
	case pcommon.ValueTypeBool:
		return journey.BoolValue(v.Bool())
	case pcommon.ValueTypeInt:
		return journey.IntValue(v.Int())
	case pcommon.ValueTypeDouble:
		return journey.FloatValue(v.Double())
	case pcommon.ValueTypeBytes:
		return journey.BytesValue(v.Bytes().AsRaw())
	case pcommon.ValueTypeSlice, pcommon.ValueTypeMap:
		return journey.JSONValue(v.AsString())
	}
	return journey.Value{}
}
