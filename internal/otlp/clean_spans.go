package otlp

import (
	"strings"
	"unicode/utf8"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// clean returns a string that protobuf takes: one that is not UTF-8 makes it refuse the whole batch. Each run of bytes that
// are no character becomes one replacement character.
func clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}

// cleanSpans cleans every string of spans, in place.
func cleanSpans(resources []*tracepb.ResourceSpans) {
	for _, r := range resources {
		r.SchemaUrl = clean(r.GetSchemaUrl())
		cleanResource(r.GetResource())
		for _, s := range r.GetScopeSpans() {
			s.SchemaUrl = clean(s.GetSchemaUrl())
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
		e.SchemaUrl, e.Type = clean(e.GetSchemaUrl()), clean(e.GetType())
		cleanAll(e.GetIdKeys())
		cleanAll(e.GetDescriptionKeys())
	}
}

func cleanAll(texts []string) {
	for i, s := range texts {
		texts[i] = clean(s)
	}
}

func cleanScope(s *commonpb.InstrumentationScope) {
	if s == nil {
		return
	}
	s.Name, s.Version = clean(s.GetName()), clean(s.GetVersion())
	cleanAttributes(s.GetAttributes())
}

func cleanSpan(s *tracepb.Span) {
	s.Name, s.TraceState = clean(s.GetName()), clean(s.GetTraceState())
	if status := s.GetStatus(); status != nil {
		status.Message = clean(status.GetMessage())
	}
	cleanAttributes(s.GetAttributes())
	for _, e := range s.GetEvents() {
		e.Name = clean(e.GetName())
		cleanAttributes(e.GetAttributes())
	}
	for _, l := range s.GetLinks() {
		l.TraceState = clean(l.GetTraceState())
		cleanAttributes(l.GetAttributes())
	}
}

func cleanAttributes(attributes []*commonpb.KeyValue) {
	for _, kv := range attributes {
		if !utf8.ValidString(kv.Key) {
			kv.Key = clean(kv.Key)
		}
		if kv.Value != nil {
			cleanValue(kv.Value)
		}
	}
}

func cleanValue(v *commonpb.AnyValue) {
	switch inside := v.Value.(type) {
	case *commonpb.AnyValue_StringValue:
		if !utf8.ValidString(inside.StringValue) {
			inside.StringValue = clean(inside.StringValue)
		}
	case *commonpb.AnyValue_ArrayValue:
		for _, element := range inside.ArrayValue.GetValues() {
			if element != nil {
				cleanValue(element)
			}
		}
	case *commonpb.AnyValue_KvlistValue:
		cleanAttributes(inside.KvlistValue.GetValues())
	}
}
