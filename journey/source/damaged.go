package source

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"

	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey"
)

// This file finds out of which traces something could not be read: their journeys are not whole.

// maxDamagedTraces bounds the traces that are remembered as damaged.
const maxDamagedTraces = 100_000

// appendTraces appends the trace ids that JSON names, damaged as it is: those of its spans, and of what they link to, which lost an
// effect. It takes time in proportion to the text.
func appendTraces(ids []journey.TraceID, text []byte) []journey.TraceID {
	for len(ids) < maxDamagedTraces {
		_, behind, ok := bytes.Cut(text, []byte(`"trace`))
		if !ok {
			break
		}
		text = behind
		for _, rest := range [...]string{`Id"`, `_id"`, `ID"`} {
			if behind, ok = bytes.CutPrefix(text, []byte(rest)); ok {
				break
			}
		}
		value, colon := bytes.CutPrefix(bytes.TrimLeft(behind, " \t"), []byte{':'})
		if !ok || !colon {
			continue
		}
		value, ok = bytes.CutPrefix(bytes.TrimLeft(value, " \t"), []byte{'"'})
		if end := endOfString(value); ok && end >= 0 {
			if id, ok := traceIDOf(value[:end]); ok {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// traceIDOf reads an id as hexadecimal digits or as base64.
func traceIDOf(raw []byte) (id journey.TraceID, ok bool) {
	if len(raw) == base64.StdEncoding.EncodedLen(len(id)) && raw[len(raw)-1] == '=' {
		var decoded [18]byte
		n, err := base64.StdEncoding.Strict().Decode(decoded[:], raw)
		copy(id[:], decoded[:n])
		return id, err == nil && n == len(id)
	}
	digits := hex.EncodedLen(len(id))
	if len(raw) == 0 || len(raw) > digits {
		return id, false
	}
	padded := append(bytes.Repeat([]byte{'0'}, digits-len(raw)), raw...)
	_, err := hex.Decode(id[:], padded)
	return id, err == nil && !id.IsZero()
}

// appendProtobufTraces appends the trace ids of the spans in a protobuf message, as far as it can be read.
func appendProtobufTraces(ids []journey.TraceID, message []byte, l level) []journey.TraceID {
	for len(message) > 0 && len(ids) < maxDamagedTraces {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			break
		}
		message = message[n:]
		if kind != protowire.BytesType {
			size := protowire.ConsumeFieldValue(field, kind, message)
			if size < 0 {
				break
			}
			message = message[size:]
			continue
		}
		size, n := protowire.ConsumeVarint(message)
		if n < 0 {
			break
		}
		value := message[n:]
		value = value[:min(uint64(len(value)), size)]
		message = message[n+len(value):]
		switch inner, _ := l.child(field); {
		case l == span && field == 1 && len(value) == len(journey.TraceID{}):
			ids = append(ids, journey.TraceID(value))
		case inner == resourceSpans, inner == scopeSpans, inner == span:
			ids = appendProtobufTraces(ids, value, inner)
		}
	}
	return ids
}

// noteTraces remembers traces of which something could not be read.
func (r *Result) noteTraces(ids []journey.TraceID) {
	for _, id := range ids {
		if r.isDamaged == nil {
			r.isDamaged = make(map[journey.TraceID]bool)
		}
		if !id.IsZero() && !r.isDamaged[id] && len(r.isDamaged) < maxDamagedTraces {
			r.isDamaged[id] = true
			r.DamagedTraces = append(r.DamagedTraces, id)
		}
	}
}
