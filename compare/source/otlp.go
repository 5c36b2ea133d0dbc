package source

import (
	"fmt"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/compare"
)

// FromOTLP reads spans from the protobuf encoding of an OTLP TracesData or ExportTraceServiceRequest message. Where is
// kept with each span as its source.
func FromOTLP(message []byte, where string) ([]compare.Span, error) {
	var u ptrace.ProtoUnmarshaler
	traces, err := u.UnmarshalTraces(message)
	if err != nil {
		return nil, fmt.Errorf("%s: not an OTLP protobuf message of traces: %w", where, err)
	}
	return FromTraces(traces, where), nil
}

// FromTraces copies all spans of traces. Where is kept with each span as its source.
func FromTraces(traces ptrace.Traces, where string) []compare.Span {
	spans := make([]compare.Span, 0, traces.SpanCount())
	for _, rs := range traces.ResourceSpans().All() {
		service, resource := fromResource(rs.Resource())
		for _, ss := range rs.ScopeSpans().All() {
			c := converter{service: service, resource: resource, scope: ss.Scope().Name(), where: where}
			c.reserve(ss.Spans())
			for _, s := range ss.Spans().All() {
				spans = append(spans, c.span(s))
			}
		}
	}
	return spans
}

func fromResource(r pcommon.Resource) (service string, resource *compare.Resource) {
	resource = &compare.Resource{Attributes: make([]compare.Attribute, 0, r.Attributes().Len())}
	for key, value := range r.Attributes().All() {
		v := fromValue(value)
		resource.Attributes = append(resource.Attributes, compare.Attribute{Key: key, Value: v})
		switch key {
		case "service.name":
			service = v.String()
		case "service.instance.id":
			resource.InstanceID = v.String()
		case "host.id":
			resource.HostID = v.String()
		case "host.name":
			resource.HostName = v.String()
		}
	}
	return service, resource
}

// converter copies the spans of one scope. Their attributes and links share two slices: one allocation each.
type converter struct {
	service, scope, where string
	resource              *compare.Resource
	attributes            []compare.Attribute
	links                 []compare.Link
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
	c.attributes = make([]compare.Attribute, 0, attributes)
	c.links = make([]compare.Link, 0, links)
}

func (c *converter) span(s ptrace.Span) compare.Span {
	return compare.Span{
		Trace:             compare.TraceID(s.TraceID()),
		ID:                compare.SpanID(s.SpanID()),
		Parent:            compare.SpanID(s.ParentSpanID()),
		Start:             fromTime(s.StartTimestamp()),
		End:               fromTime(s.EndTimestamp()),
		Kind:              compare.Kind(min(uint32(s.Kind()), uint32(math.MaxUint8))),
		Status:            compare.Status(min(uint32(s.Status().Code()), uint32(math.MaxUint8))),
		Service:           c.service,
		Name:              s.Name(),
		Scope:             c.scope,
		StatusMessage:     s.Status().Message(),
		Attributes:        c.attributesOf(s.Attributes()),
		Links:             c.linksOf(s.Links()),
		Resource:          c.resource,
		Flags:             s.Flags(),
		DroppedAttributes: s.DroppedAttributesCount(),
		DroppedEvents:     s.DroppedEventsCount(),
		DroppedLinks:      s.DroppedLinksCount(),
		Source:            c.where,
	}
}

func (c *converter) attributesOf(m pcommon.Map) []compare.Attribute {
	from := len(c.attributes)
	for key, value := range m.All() {
		c.attributes = append(c.attributes, compare.Attribute{Key: key, Value: fromValue(value)})
	}
	return c.attributes[from:len(c.attributes):len(c.attributes)]
}

func (c *converter) linksOf(list ptrace.SpanLinkSlice) []compare.Link {
	from := len(c.links)
	for _, l := range list.All() {
		c.links = append(c.links, compare.Link{
			Ref:               compare.Ref{Trace: compare.TraceID(l.TraceID()), Span: compare.SpanID(l.SpanID())},
			Attributes:        c.attributesOf(l.Attributes()),
			Flags:             l.Flags(),
			DroppedAttributes: l.DroppedAttributesCount(),
		})
	}
	return c.links[from:len(c.links):len(c.links)]
}

// fromTime keeps a time beyond the year 2262 as the greatest one: compare reports it as out of range.
func fromTime(t pcommon.Timestamp) int64 { return int64(min(uint64(t), math.MaxInt64)) }

func fromValue(v pcommon.Value) compare.Value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return compare.String(v.Str())
	case pcommon.ValueTypeBool:
		return compare.Bool(v.Bool())
	case pcommon.ValueTypeInt:
		return compare.Int(v.Int())
	case pcommon.ValueTypeDouble:
		return compare.Float(v.Double())
	case pcommon.ValueTypeBytes:
		return compare.Bytes(v.Bytes().AsRaw())
	case pcommon.ValueTypeSlice, pcommon.ValueTypeMap:
		return compare.JSON(v.AsString())
	}
	return compare.Value{}
}
