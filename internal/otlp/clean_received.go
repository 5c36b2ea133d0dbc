package otlp

import (
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/internal/text"
)

// cleanReceived cleans every string of received spans: pdata takes bytes that are not UTF-8, and readers of what the receiver
// keeps may not.
func cleanReceived(traces ptrace.Traces) {
	for _, r := range traces.ResourceSpans().All() {
		r.SetSchemaUrl(text.Clean(r.SchemaUrl()))
		cleanMap(r.Resource().Attributes())
		for _, s := range r.ScopeSpans().All() {
			s.SetSchemaUrl(text.Clean(s.SchemaUrl()))
			s.Scope().SetName(text.Clean(s.Scope().Name()))
			s.Scope().SetVersion(text.Clean(s.Scope().Version()))
			cleanMap(s.Scope().Attributes())
			for _, span := range s.Spans().All() {
				cleanReceivedSpan(span)
			}
		}
	}
}

func cleanReceivedSpan(s ptrace.Span) {
	s.SetName(text.Clean(s.Name()))
	s.TraceState().FromRaw(text.Clean(s.TraceState().AsRaw()))
	s.Status().SetMessage(text.Clean(s.Status().Message()))
	cleanMap(s.Attributes())
	for _, e := range s.Events().All() {
		e.SetName(text.Clean(e.Name()))
		cleanMap(e.Attributes())
	}
	for _, l := range s.Links().All() {
		l.TraceState().FromRaw(text.Clean(l.TraceState().AsRaw()))
		cleanMap(l.Attributes())
	}
}

func cleanMap(m pcommon.Map) {
	bad := false
	for key, value := range m.All() {
		bad = bad || !utf8.ValidString(key)
		cleanReceivedValue(value)
	}
	if !bad {
		return
	}
	cleaned := pcommon.NewMap() // a key cannot be changed in its place
	for key, value := range m.All() {
		value.CopyTo(cleaned.PutEmpty(text.Clean(key)))
	}
	cleaned.MoveTo(m)
}

func cleanReceivedValue(v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if !utf8.ValidString(v.Str()) {
			v.SetStr(text.Clean(v.Str()))
		}
	case pcommon.ValueTypeSlice:
		for _, element := range v.Slice().All() {
			cleanReceivedValue(element)
		}
	case pcommon.ValueTypeMap:
		cleanMap(v.Map())
	}
}
