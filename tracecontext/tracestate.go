package tracecontext

import (
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const (
	maxTracestateMembers = 32
	maxKeyLength         = 256
	maxValueLength       = 256
	// maxTracestateBytes is more than any valid tracestate can have, white
	// space aside. A longer one is refused unread.
	maxTracestateBytes = 2 * maxTracestateMembers * (maxKeyLength + maxValueLength + 2)
)

// stateMember is one member of a tracestate.
type stateMember struct{ key, value string }

// tracestate reads all tracestate headers as one list. An invalid list is
// dropped as a whole and leaves the traceparent alone. When trace.TraceState
// cannot hold all members, whole has them all; otherwise it is nil.
func (t TraceContext) tracestate(carrier propagation.TextMapCarrier, traceID trace.TraceID) (state trace.TraceState, whole *wholeState) {
	one, more := values(carrier, tracestateHeader)
	if one == "" && len(more) == 0 {
		return trace.TraceState{}, nil
	}
	length := len(one)
	for _, v := range more {
		length += len(v) + 1
	}
	if length > maxTracestateBytes {
		t.Refusals.add(TracestateMalformed)
		return trace.TraceState{}, nil
	}
	if len(more) > 0 {
		one = strings.Join(more, ",")
	}
	if state, err := trace.ParseTraceState(one); err == nil {
		return state, nil
	}
	members, reason := parseTracestate(one)
	if reason != noReason {
		t.Refusals.add(reason)
	}
	return splitTracestate(members, traceID)
}

// parseTracestate reads a list by the grammar of level 2, without its empty
// members. Of members with one key it keeps the first; the reason is then
// TracestateDuplicate. For any other reason there are no members.
func parseTracestate(s string) (members []stateMember, reason Reason) {
	reason = noReason
	seen := map[string]bool{}
	for m := range strings.SplitSeq(s, ",") {
		// White space around a member is no part of it. Spaces after the "="
		// belong to the value.
		m = trimOWS(m)
		if m == "" {
			continue
		}
		key, value, found := strings.Cut(m, "=")
		if !found || !validKey(key) || !validValue(value) {
			return nil, TracestateMalformed
		}
		if seen[key] {
			reason = TracestateDuplicate
			continue
		}
		seen[key] = true
		if members = append(members, stateMember{key, value}); len(members) > maxTracestateMembers {
			return nil, TracestateMembers
		}
	}
	return members, reason
}

// validKey: ( lcalpha / DIGIT ) 0*255( lcalpha / DIGIT / "_" / "-" / "*" / "/" / "@" ).
func validKey(s string) bool {
	if s == "" || len(s) > maxKeyLength || strings.IndexByte("_-*/@", s[0]) >= 0 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if ('a' > c || c > 'z') && ('0' > c || c > '9') && strings.IndexByte("_-*/@", c) < 0 {
			return false
		}
	}
	return true
}

// validValue: 0*255(chr) nblk-chr, printable ASCII without comma and "=". The
// last character is no space, because s is trimmed.
func validValue(s string) bool {
	if s == "" || len(s) > maxValueLength {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == ',' || c == '=' {
			return false
		}
	}
	return true
}
