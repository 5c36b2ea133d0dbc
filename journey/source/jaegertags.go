package source

import (
	"encoding/base64"
	"math"
	"strconv"

	"tracelab/journey"
)

// readTags moves tags into the span's fields where OpenTelemetry's mapping to Jaeger made tags of fields.
func readTags(s *journey.Span) {
	code, failed := "", false
	kept := s.Attributes[:0]
	for _, a := range s.Attributes {
		switch a.Key {
		case "span.kind":
			s.Kind = kindOf(a.Value.String())
		case "otel.status_code":
			code = a.Value.String()
		case "otel.status_description":
			s.StatusMessage = a.Value.String()
		case "error":
			if failed = a.Value.String() == "true"; !failed {
				kept = append(kept, a)
			}
		case "otel.scope.name", "otel.library.name":
			s.Scope = a.Value.String()
		case "otel.dropped_attributes_count":
			s.DroppedAttributes = countOf(a.Value)
		case "otel.dropped_events_count":
			s.DroppedEvents = countOf(a.Value)
		case "otel.dropped_links_count":
			s.DroppedLinks = countOf(a.Value)
		case "w3c.tracestate":
			s.TraceState = a.Value.String()
		case "otel.scope.version", "otel.library.version", "internal.span.format":
		default:
			kept = append(kept, a)
		}
	}
	s.Attributes = kept[:len(kept):len(kept)]
	switch {
	case code == "ERROR" || code == "" && failed:
		s.Status = journey.StatusError
	case code == "OK":
		s.Status = journey.StatusOK
	}
}

func kindOf(tag string) journey.Kind {
	switch tag {
	case "internal":
		return journey.KindInternal
	case "server":
		return journey.KindServer
	case "client":
		return journey.KindClient
	case "producer":
		return journey.KindProducer
	case "consumer":
		return journey.KindConsumer
	}
	return journey.KindUnspecified
}

func countOf(v journey.Value) uint32 {
	n, _ := v.Int64()
	return uint32(max(0, min(n, math.MaxUint32)))
}

func (d *spanDecoder) tagList() []journey.Attribute {
	if cap(d.attributes)-len(d.attributes) < 16 {
		d.attributes = make([]journey.Attribute, 0, 512)
	}
	from := len(d.attributes)
	d.array(func() {
		var a journey.Attribute
		kind := ""
		d.object(func(key []byte) {
			switch string(key) {
			case "key":
				a.Key = d.string()
			case "type":
				kind = d.string()
			case "value":
				a.Value = d.tagValue()
			default:
				d.skip()
			}
		})
		a.Value = typed(a.Value, kind)
		d.attributes = append(d.attributes, a)
	})
	return d.attributes[from:len(d.attributes):len(d.attributes)]
}

// tagValue reads a value by its JSON type; a list or an object, which no tag should hold, becomes an empty value.
func (d *spanDecoder) tagValue() journey.Value {
	switch d.peek() {
	case '"':
		return journey.StringValue(d.string())
	case 't', 'f':
		return journey.BoolValue(d.bool())
	case 'n', '{', '[':
		d.skip()
		return journey.Value{}
	}
	text := string(d.number())
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return journey.IntValue(n)
	}
	f, err := strconv.ParseFloat(text, 64)
	d.check(err)
	return journey.FloatValue(f)
}

// typed converts a value to the type that Jaeger names: it writes integers beyond 2⁵³ and bytes as strings. A value that does
// not fit the type stays as it is.
func typed(v journey.Value, kind string) journey.Value {
	switch n, isInt := v.Int64(); {
	case kind == "float64" && isInt:
		return journey.FloatValue(float64(n))
	case v.Kind() != journey.ValueString:
	case kind == "int64":
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return journey.IntValue(n)
		}
	case kind == "float64":
		if f, err := strconv.ParseFloat(v.String(), 64); err == nil {
			return journey.FloatValue(f)
		}
	case kind == "bool":
		if b, err := strconv.ParseBool(v.String()); err == nil {
			return journey.BoolValue(b)
		}
	case kind == "binary":
		if b, err := base64.StdEncoding.DecodeString(v.String()); err == nil {
			return journey.BytesValue(b)
		}
	}
	return v
}
