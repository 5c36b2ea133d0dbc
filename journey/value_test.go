package journey_test

import (
	"math"
	"strings"
	"testing"

	"tracelab/journey"
)

func TestIDs(t *testing.T) {
	trace, err := journey.ParseTraceID("0AF7651916cd43dd8448eb211c80319C")
	if err != nil || trace.String() != "0af7651916cd43dd8448eb211c80319c" || trace.IsZero() {
		t.Errorf("trace id %v, %v", trace, err)
	}
	span, err := journey.ParseSpanID("B7AD6B7169203331")
	if err != nil || span.String() != "b7ad6b7169203331" || span.IsZero() {
		t.Errorf("span id %v, %v", span, err)
	}
	if got := (journey.Ref{Trace: trace, Span: span}).String(); got != "0af7651916cd43dd8448eb211c80319c/b7ad6b7169203331" {
		t.Errorf("reference %s", got)
	}
	for _, bad := range []string{"", "b7ad", "b7ad6b716920333g", "b7ad6b71692033310", "b7ad6b716920333\xff"} {
		if _, err := journey.ParseSpanID(bad); err == nil || !strings.Contains(err.Error(), "span id") {
			t.Errorf("span id %q: error %v", bad, err)
		}
		if _, err := journey.ParseTraceID(bad); err == nil || !strings.Contains(err.Error(), "trace id") {
			t.Errorf("trace id %q: error %v", bad, err)
		}
	}
}

func TestValues(t *testing.T) {
	for want, v := range map[string]journey.Value{
		"x": journey.StringValue("x"), "true": journey.BoolValue(true), "false": journey.BoolValue(false), "-7": journey.IntValue(-7),
		"0.25": journey.FloatValue(0.25), "NaN": journey.FloatValue(math.NaN()), "ff00": journey.BytesValue([]byte{255, 0}), "[1]": journey.JSONValue("[1]"), "": {},
	} {
		if v.String() != want {
			t.Errorf("got %q, want %q", v.String(), want)
		}
	}
	if n, ok := journey.IntValue(-7).Int64(); n != -7 || !ok {
		t.Errorf("integer %d, %v", n, ok)
	}
	if _, ok := journey.StringValue("7").Int64(); ok {
		t.Error("a string passes for an integer")
	}
	if journey.StringValue("1") == journey.JSONValue("1") || journey.IntValue(1) == journey.BoolValue(true) {
		t.Error("values of different kinds are equal")
	}
	if journey.KindConsumer.String() != "CONSUMER" || journey.Kind(9).String() != "KIND(9)" {
		t.Errorf("kinds %v %v", journey.KindConsumer, journey.Kind(9))
	}
}
