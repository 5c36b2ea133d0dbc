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
	// space aside; what is longer is not looked at.
	maxTracestateBytes = 2 * maxTracestateMembers * (maxKeyLength + maxValueLength + 2)
)

// tracestate reads the tracestate headers as one list. A list that is not
// valid, or that trace.TraceState cannot hold, is dropped as a whole and leaves
// the traceparent alone.
func (t TraceContext) tracestate(carrier propagation.TextMapCarrier) trace.TraceState {
	one, more := values(carrier, tracestateHeader)
	if one == "" && len(more) == 0 {
		return trace.TraceState{}
	}
	length := len(one)
	for _, v := range more {
		length += len(v) + 1
	}
	if length > maxTracestateBytes {
		t.Refusals.add(TracestateMalformed)
		return trace.TraceState{}
	}
	if len(more) > 0 {
		one = strings.Join(more, ",")
	}
	if state, err := trace.ParseTraceState(one); err == nil {
		return state
	}
	list, reason, ok := parseTracestate(one)
	if !ok {
		t.Refusals.add(reason)
		return trace.TraceState{}
	}
	state, err := trace.ParseTraceState(list)
	if err != nil {
		t.Refusals.add(TracestateLevel2)
		return trace.TraceState{}
	}
	return state
}

// parseTracestate checks a list by the grammar of level 2 and returns it
// without empty members and white space, which trace.ParseTraceState does not
// take everywhere.
func parseTracestate(s string) (list string, reason Reason, ok bool) {
	var members []string
	seen := map[string]bool{}
	for m := range strings.SplitSeq(s, ",") {
		// Spaces before a member and before its "=" are no part of a key;
		// spaces after "=" are part of the value, those at its end are not.
		m = trimOWS(m)
		if m == "" {
			continue
		}
		key, value, found := strings.Cut(m, "=")
		if !found || !validKey(key) || !validValue(value) {
			return "", TracestateMalformed, false
		}
		if seen[key] {
			return "", TracestateDuplicate, false
		}
		seen[key] = true
		if members = append(members, m); len(members) > maxTracestateMembers {
			return "", TracestateMembers, false
		}
	}
	return strings.Join(members, ","), 0, true
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
