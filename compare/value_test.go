package compare_test

import (
	"math"
	"strings"
	"testing"

	"tracelab/compare"
)

func TestIDs(t *testing.T) {
	trace, err := compare.ParseTraceID("0AF7651916cd43dd8448eb211c80319C")
	if err != nil || trace.String() != "0af7651916cd43dd8448eb211c80319c" || trace.IsZero() {
		t.Errorf("trace id %v, %v", trace, err)
	}
	span, err := compare.ParseSpanID("B7AD6B7169203331")
	if err != nil || span.String() != "b7ad6b7169203331" || span.IsZero() {
		t.Errorf("span id %v, %v", span, err)
	}
	if got := (compare.Ref{Trace: trace, Span: span}).String(); got != "0af7651916cd43dd8448eb211c80319c/b7ad6b7169203331" {
		t.Errorf("reference %s", got)
	}
	for _, bad := range []string{"", "b7ad", "b7ad6b716920333g", "b7ad6b71692033310", "b7ad6b716920333\xff"} {
		if _, err := compare.ParseSpanID(bad); err == nil || !strings.Contains(err.Error(), "span id") {
			t.Errorf("span id %q: error %v", bad, err)
		}
		if _, err := compare.ParseTraceID(bad); err == nil || !strings.Contains(err.Error(), "trace id") {
			t.Errorf("trace id %q: error %v", bad, err)
		}
	}
}

func TestValues(t *testing.T) {
	for want, v := range map[string]compare.Value{
		"x": compare.String("x"), "true": compare.Bool(true), "false": compare.Bool(false), "-7": compare.Int(-7),
		"0.25": compare.Float(0.25), "NaN": compare.Float(math.NaN()), "ff00": compare.Bytes([]byte{255, 0}), "[1]": compare.JSON("[1]"), "": {},
	} {
		if v.String() != want {
			t.Errorf("got %q, want %q", v.String(), want)
		}
	}
	if n, ok := compare.Int(-7).Int64(); n != -7 || !ok {
		t.Errorf("integer %d, %v", n, ok)
	}
	if _, ok := compare.String("7").Int64(); ok {
		t.Error("a string passes for an integer")
	}
	if compare.String("1") == compare.JSON("1") || compare.Int(1) == compare.Bool(true) {
		t.Error("values of different kinds are equal")
	}
	if compare.Consumer.String() != "CONSUMER" || compare.Kind(9).String() != "KIND(9)" {
		t.Errorf("kinds %v %v", compare.Consumer, compare.Kind(9))
	}
}
