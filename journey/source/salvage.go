package source

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey"
)

// salvage takes apart a message that cannot be decoded, so that one damaged span costs no other.
type salvage struct {
	traces  []journey.TraceID // of what was dropped
	dropped int               // spans, and whole lists of them whose resource or scope is damaged
	first   error             // why the first was dropped
}

// rest returns a message without its damaged parts. It fails when the message itself is malformed.
func (s *salvage) rest(message []byte, l level, depth int) ([]byte, error) {
	var kept []byte
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		size := protowire.ConsumeFieldValue(field, kind, message[n:])
		if size < 0 {
			return nil, protowire.ParseError(size)
		}
		whole, value := message[:n+size], message[n:n+size]
		message = message[n+size:]
		inner, deeper := otherField, 0
		if kind == protowire.BytesType {
			inner, deeper = l.child(field)
			value, _ = protowire.ConsumeBytes(value)
		}
		switch inner {
		case resourceSpans, scopeSpans:
			part, err := s.rest(value, inner, depth+deeper)
			if err == nil {
				kept = protowire.AppendBytes(protowire.AppendTag(kept, field, kind), part)
			} else {
				s.drop(err, value, inner)
			}
		case span:
			if err := tryPart(value, depth+deeper, inner, 2, 2, 1); err == nil {
				kept = append(kept, whole...)
			} else {
				s.drop(err, value, inner)
			}
		case resource:
			if err := tryPart(value, depth+deeper, inner, 1, 1); err != nil {
				return nil, fmt.Errorf("a resource: %w", err)
			}
			kept = append(kept, whole...)
		case scope:
			if err := tryPart(value, depth+deeper, inner, 1, 2, 1); err != nil {
				return nil, fmt.Errorf("a scope: %w", err)
			}
			kept = append(kept, whole...)
		default:
			kept = append(kept, whole...)
		}
	}
	return kept, nil
}

func (s *salvage) drop(err error, part []byte, l level) {
	s.traces = appendProtobufTraces(s.traces, part, l)
	if s.dropped++; s.dropped == 1 {
		s.first = err
	}
}

// tryPart decodes a part of a message by itself, wrapped in the fields of these numbers, the innermost first.
func tryPart(value []byte, depth int, l level, fields ...protowire.Number) error {
	if err := checkNesting(value, l, depth); err != nil {
		return err
	}
	for _, field := range fields {
		value = protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), value)
	}
	_, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(value)
	return err
}

// readDamaged adds the spans that can be read of a message that cannot be decoded as a whole.
func (r *Result) readDamaged(message []byte, where string, repaired *int) error {
	var s salvage
	rest, err := s.rest(message, tracesData, 1)
	if err != nil {
		return err
	}
	traces, err := unmarshal(rest)
	if err != nil {
		return err
	}
	if s.dropped == 0 || traces.SpanCount() == 0 {
		return errors.New("nothing of it can be read")
	}
	c := converter{where: where}
	r.Spans = append(r.Spans, c.traces(traces)...)
	*repaired += c.repaired
	r.noteTraces(s.traces)
	r.Damaged += s.dropped
	text := ""
	if s.dropped > 1 {
		text = fmt.Sprintf(" (and %d more in this message)", s.dropped-1)
	}
	r.skipped(fmt.Errorf("%s: skipped: a span: %w%s", where, s.first, text))
	return nil
}
