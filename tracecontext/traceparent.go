package tracecontext

import (
	"context"
	"encoding/hex"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// TraceContext propagates traceparent and tracestate, strictly. The zero value
// works and counts nothing.
type TraceContext struct {
	// Refusals, when not nil, counts what was refused.
	Refusals *Refusals
}

var _ propagation.TextMapPropagator = TraceContext{}

const (
	// traceparentLength is the length of version 00. Later versions have at
	// least as many characters.
	traceparentLength = 2 + 1 + 32 + 1 + 16 + 1 + 2
	// knownFlags are the flags that level 2 defines. All others must be sent
	// as zero.
	knownFlags = trace.FlagsSampled | trace.FlagsRandom
)

// Fields returns the names of the headers that Inject writes.
func (TraceContext) Fields() []string { return []string{traceparentHeader, tracestateHeader} }

// Inject writes the span context of ctx, if it is valid, as version 00. It
// removes a tracestate that an earlier use left in carrier.
func (TraceContext) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	ctx = orBackground(ctx)
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsValid() || readOnly(carrier) {
		return
	}
	if c, ok := carrier.(spaceSetter); ok {
		formatTraceparent(c.SetSpace(traceparentHeader, traceparentLength), sc)
	} else {
		var out [traceparentLength]byte
		formatTraceparent(out[:], sc)
		carrier.Set(traceparentHeader, string(out[:]))
	}
	if state := wholeStateOf(ctx).header(sc); state != "" {
		carrier.Set(tracestateHeader, state)
	} else {
		removeKey(carrier, tracestateHeader)
	}
}

// formatTraceparent fills out, of traceparentLength bytes.
func formatTraceparent(out []byte, sc trace.SpanContext) {
	traceID, spanID := sc.TraceID(), sc.SpanID()
	flags := [1]byte{byte(sc.TraceFlags() & knownFlags)}
	out[0], out[1], out[2], out[35], out[52] = '0', '0', '-', '-', '-'
	hex.Encode(out[3:35], traceID[:])
	hex.Encode(out[36:52], spanID[:])
	hex.Encode(out[53:55], flags[:])
}

// Extract returns ctx with the remote span context of carrier, or ctx itself
// when there is none or it is refused.
func (t TraceContext) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	ctx = orBackground(ctx)
	if carrier == nil {
		return ctx
	}
	sc, whole := t.spanContext(carrier)
	return withRemote(ctx, sc, whole)
}

// spanContext returns the remote span context of carrier, or an invalid one
// when there is none or it is refused. whole is its tracestate, when
// trace.TraceState cannot hold all of it.
func (t TraceContext) spanContext(carrier propagation.TextMapCarrier) (sc trace.SpanContext, whole *wholeState) {
	config, reason, ok := readTraceparent(carrier)
	if !ok {
		if reason != noReason {
			t.Refusals.add(reason)
		}
		return trace.SpanContext{}, nil
	}
	config.TraceState, whole = t.tracestate(carrier, config.TraceID)
	config.Remote = true
	return trace.NewSpanContext(config), whole
}

// readTraceparent reads the one traceparent of carrier. When there is none, it
// returns noReason and false.
func readTraceparent(carrier propagation.TextMapCarrier) (config trace.SpanContextConfig, reason Reason, ok bool) {
	if c, ok := carrier.(bytesGetter); ok {
		return parseHeader(c.GetBytes(traceparentHeader))
	}
	one, more := values(carrier, traceparentHeader)
	if len(more) > 0 {
		return config, TraceparentDoubled, false
	}
	return parseHeader(one)
}

// text is what a header comes as.
type text interface{ string | []byte }

// parseHeader reads the value of a traceparent header.
func parseHeader[T text](s T) (config trace.SpanContextConfig, reason Reason, ok bool) {
	if len(s) == 0 {
		return config, noReason, false
	}
	config, reason, ok = parseTraceparent(trimOWS(s))
	// A comma means that two headers were joined into one line on the way.
	// Version 00 has a fixed length and no room for it.
	if !ok || len(s) > traceparentLength {
		for i := range len(s) {
			if s[i] == ',' {
				return config, TraceparentDoubled, false
			}
		}
	}
	return config, reason, ok
}

// parseTraceparent reads a traceparent without surrounding white space. Of
// versions after 00 it reads what 00 has, and requires a dash or the end after
// it: see the specification, "Versioning of traceparent".
func parseTraceparent[T text](s T) (config trace.SpanContextConfig, reason Reason, ok bool) {
	var version, flags [1]byte
	if len(s) < 3 || s[2] != '-' || !decodeHex(version[:], s[:2]) || version[0] == 0xff {
		return config, TraceparentVersion, false
	}
	if len(s) < traceparentLength || s[35] != '-' || s[52] != '-' ||
		!decodeHex(config.TraceID[:], s[3:35]) || !decodeHex(config.SpanID[:], s[36:52]) || !decodeHex(flags[:], s[53:55]) {
		return config, TraceparentMalformed, false
	}
	if len(s) > traceparentLength && (version[0] == 0 || s[55] != '-') {
		return config, TraceparentMalformed, false
	}
	if !config.TraceID.IsValid() || !config.SpanID.IsValid() {
		return config, TraceparentZero, false
	}
	config.TraceFlags = trace.TraceFlags(flags[0]) & knownFlags
	return config, noReason, true
}

// decodeHex decodes lower-case hex. encoding/hex would take upper case, too.
func decodeHex[T text](dst []byte, s T) bool {
	var wrong byte
	for i := range dst {
		high, low := hexDigit[s[2*i]], hexDigit[s[2*i+1]]
		wrong |= high | low
		dst[i] = high<<4 | low
	}
	return wrong <= 0xf
}

// hexDigit is the value of a lower-case hex digit, or 0xff.
var hexDigit = func() (table [256]byte) {
	for c := range table {
		table[c] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		table[c] = byte(i)
	}
	return table
}()

// trimOWS removes optional white space (RFC 9110, section 5.6.3).
func trimOWS[T text](s T) T {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
