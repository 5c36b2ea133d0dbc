package journey

import (
	"bytes"
	"encoding/hex"
	"fmt"
)

// TraceID identifies a trace: 16 bytes, all zero when there is none (W3C Trace Context).
type TraceID [16]byte

// SpanID identifies a span within its trace: 8 bytes, all zero when there is none.
type SpanID [8]byte

// Ref names one span of a set. Span ids alone are unique only within a trace.
type Ref struct {
	Trace TraceID
	Span  SpanID
}

// ParseTraceID reads 32 hexadecimal digits of either case.
func ParseTraceID(s string) (TraceID, error) {
	var id TraceID
	if err := parseHex(id[:], s); err != nil {
		return TraceID{}, fmt.Errorf("trace id %q: %w", s, err)
	}
	return id, nil
}

// ParseSpanID reads 16 hexadecimal digits of either case.
func ParseSpanID(s string) (SpanID, error) {
	var id SpanID
	if err := parseHex(id[:], s); err != nil {
		return SpanID{}, fmt.Errorf("span id %q: %w", s, err)
	}
	return id, nil
}

func parseHex(dst []byte, s string) error {
	if len(s) != hex.EncodedLen(len(dst)) {
		return fmt.Errorf("has %d characters, want %d hexadecimal digits", len(s), hex.EncodedLen(len(dst)))
	}
	_, err := hex.Decode(dst, []byte(s))
	return err
}

// String returns the id as 32 lower-case hexadecimal digits.
func (t TraceID) String() string { return hex.EncodeToString(t[:]) }

// IsZero reports whether there is no id.
func (t TraceID) IsZero() bool { return t == TraceID{} }

// Compare orders trace ids by their bytes.
func (t TraceID) Compare(u TraceID) int { return bytes.Compare(t[:], u[:]) }

// String returns the id as 16 lower-case hexadecimal digits.
func (s SpanID) String() string { return hex.EncodeToString(s[:]) }

// IsZero reports whether there is no id.
func (s SpanID) IsZero() bool { return s == SpanID{} }

// Compare orders span ids by their bytes.
func (s SpanID) Compare(u SpanID) int { return bytes.Compare(s[:], u[:]) }

// String returns trace id and span id, joined by a slash.
func (r Ref) String() string { return r.Trace.String() + "/" + r.Span.String() }
