package tracecontext

import (
	"context"
	"encoding/hex"
	"strings"

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
	// version 00 has this many characters, later ones at least as many.
	traceparentLength = 2 + 1 + 32 + 1 + 16 + 1 + 2
	// knownFlags are what level 2 defines; "Vendors MUST set those to zero"
	// goes for all others.
	knownFlags = trace.FlagsSampled | trace.FlagsRandom
)

// Fields returns the names of the headers that Inject writes.
func (TraceContext) Fields() []string { return []string{traceparentHeader, tracestateHeader} }

// Inject writes the span context of ctx, if it is valid, as version 00, and
// removes a tracestate that is not its own.
func (TraceContext) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsValid() {
		return
	}
	carrier.Set(traceparentHeader, formatTraceparent(sc))
	if state := sc.TraceState().String(); state != "" {
		carrier.Set(tracestateHeader, state)
	} else {
		removeKey(carrier, tracestateHeader)
	}
}

func formatTraceparent(sc trace.SpanContext) string {
	traceID, spanID := sc.TraceID(), sc.SpanID()
	flags := [1]byte{byte(sc.TraceFlags() & knownFlags)}
	b := make([]byte, 0, traceparentLength)
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, traceID[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, spanID[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, flags[:])
	return string(b)
}

// Extract returns ctx with the remote span context of carrier, or ctx as it is
// when there is none or it is refused.
func (t TraceContext) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	one, more := values(carrier, traceparentHeader)
	if len(more) > 0 {
		t.Refusals.add(TraceparentDoubled)
		return ctx
	}
	if one == "" {
		return ctx
	}
	if strings.Contains(one, ",") { // two, joined into one line on the way
		t.Refusals.add(TraceparentDoubled)
		return ctx
	}
	config, reason, ok := parseTraceparent(trimOWS(one))
	if !ok {
		t.Refusals.add(reason)
		return ctx
	}
	config.TraceState = t.tracestate(carrier)
	config.Remote = true
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(config))
}

// parseTraceparent reads a traceparent without surrounding white space. For
// versions after 00 it reads what 00 has and requires a dash after it, as the
// specification's section on versioning says.
func parseTraceparent(s string) (config trace.SpanContextConfig, reason Reason, ok bool) {
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
	return config, 0, true
}

// decodeHex decodes lower-case hex; encoding/hex would take upper case too.
func decodeHex(dst []byte, s string) bool {
	for i := range dst {
		high, low := hexDigit(s[2*i]), hexDigit(s[2*i+1])
		if high|low > 0xf {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

// hexDigit returns the value of a lower-case hex digit, or 0xff.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// trimOWS removes optional white space (RFC 9110, section 5.6.3).
func trimOWS(s string) string { return strings.Trim(s, " \t") }
