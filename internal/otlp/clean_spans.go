package otlp

import (
	"unicode/utf8"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"tracelab/internal/text"
)

// cleanSpans cleans every string of spans, in place: one that is not UTF-8 makes protobuf refuse the whole batch.
func cleanSpans(resources []*tracepb.ResourceSpans) {
	for _, r := range resources {
		r.SchemaUrl = text.Clean(r.GetSchemaUrl())
		cleanResource(r.GetResource())
		for _, s := range r.GetScopeSpans() {
			s.SchemaUrl = text.Clean(s.GetSchemaUrl())
			cleanScope(s.GetScope())
			for _, span := range s.GetSpans() {
				cleanSpan(span)
			}
		}
	}
}

func cleanResource(r *resourcepb.Resource) {
	cleanAttributes(r.GetAttributes())
	for _, e := range r.GetEntityRefs() {
		e.SchemaUrl, e.Type = text.Clean(e.GetSchemaUrl()), text.Clean(e.GetType())
		cleanAll(e.GetIdKeys())
		cleanAll(e.GetDescriptionKeys())
	}
}

func cleanAll(texts []string) {
	for i, s := range texts {
		texts[i] = text.Clean(s)
	}
}

func cleanScope(s *commonpb.InstrumentationScope) {
	if s == nil {
		return
	}
	s.Name, s.Version = text.Clean(s.GetName()), text.Clean(s.GetVersion())
	cleanAttributes(s.GetAttributes())
}

func cleanSpan(s *tracepb.Span) {
	s.Name, s.TraceState = text.Clean(s.GetName()), text.Clean(s.GetTraceState())
	if status := s.GetStatus(); status != nil {
		status.Message = text.Clean(status.GetMessage())
	}
	cleanAttributes(s.GetAttributes())
	for _, e := range s.GetEvents() {
		e.Name = text.Clean(e.GetName())
		cleanAttributes(e.GetAttributes())
	}
	for _, l := range s.GetLinks() {
		l.TraceState = text.Clean(l.GetTraceState())
		cleanAttributes(l.GetAttributes())
	}
}

func cleanAttributes(attributes []*commonpb.KeyValue) {
	for _, kv := range attributes {
		if !utf8.ValidString(kv.Key) {
			kv.Key = text.Clean(kv.Key)
		}
		if kv.Value != nil {
			cleanValue(kv.Value)
		}
	}
}

func cleanValue(v *commonpb.AnyValue) {
	switch value := v.Value.(type) {
	case *commonpb.AnyValue_StringValue:
		if !utf8.ValidString(value.StringValue) {
			value.StringValue = text.Clean(value.StringValue)
		}
	case *commonpb.AnyValue_ArrayValue:
		for _, element := range value.ArrayValue.GetValues() {
			if element != nil {
				cleanValue(element)
			}
		}
	case *commonpb.AnyValue_KvlistValue:
		cleanAttributes(value.KvlistValue.GetValues())
	}
}
