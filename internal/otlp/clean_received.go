package otlp

import (
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// cleanReceived cleans every string of spans that came from elsewhere: pdata takes bytes that are no UTF-8, and whoever
// reads what the receiver keeps may not.
func cleanReceived(traces ptrace.Traces) {
	for _, r := range traces.ResourceSpans().All() {
		r.SetSchemaUrl(clean(r.SchemaUrl()))
		cleanMap(r.Resource().Attributes())
		for _, s := range r.ScopeSpans().All() {
			s.SetSchemaUrl(clean(s.SchemaUrl()))
			s.Scope().SetName(clean(s.Scope().Name()))
			s.Scope().SetVersion(clean(s.Scope().Version()))
			cleanMap(s.Scope().Attributes())
			for _, span := range s.Spans().All() {
				cleanReceivedSpan(span)
			}
		}
	}
}

func cleanReceivedSpan(s ptrace.Span) {
	s.SetName(clean(s.Name()))
	s.TraceState().FromRaw(clean(s.TraceState().AsRaw()))
	s.Status().SetMessage(clean(s.Status().Message()))
	cleanMap(s.Attributes())
	for _, e := range s.Events().All() {
		e.SetName(clean(e.Name()))
		cleanMap(e.Attributes())
	}
	for _, l := range s.Links().All() {
		l.TraceState().FromRaw(clean(l.TraceState().AsRaw()))
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
		value.CopyTo(cleaned.PutEmpty(clean(key)))
	}
	cleaned.MoveTo(m)
}

func cleanReceivedValue(v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if !utf8.ValidString(v.Str()) {
			v.SetStr(clean(v.Str()))
		}
	case pcommon.ValueTypeSlice:
		for _, element := range v.Slice().All() {
			cleanReceivedValue(element)
		}
	case pcommon.ValueTypeMap:
		cleanMap(v.Map())
	}
}
