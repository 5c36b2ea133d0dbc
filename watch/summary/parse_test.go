package summary_test

import (
	"bytes"
	"strings"
	"testing"

	"tracelab/watch/summary"
)

func TestParseRefuses(t *testing.T) {
	s := summary.Of(only(t, drawn(1)), "")
	good := string(s.JSON())
	for _, c := range []struct{ why, line, want string }{
		{"nothing", "", "unexpected end"},
		{"another document", `{"schema":"tracelab.baseline/v1"}`, "another topic"},
		{"a newer version", strings.Replace(good, "summary/v1", "summary/v2", 1), "newer version"},
		{"a trace id", strings.Replace(good, s.Root.Trace, "12", 1), "trace id"},
		{"a span id", strings.Replace(good, `"span":"`+s.Root.Span, `"span":"zz`, 1), "span id"},
		{"an outcome", strings.Replace(good, `"ok"`, `"fine"`, 1), "outcome"},
		{"a negative measure", strings.Replace(good, `"completion_ns":`, `"completion_ns":-`, 1), "negative"},
		{"a number out of range", strings.Replace(good, `"completion_ns":`, `"completion_ns":9999999999999`, 1), "completion_ns"},
		{"waits of more than were delivered", strings.Replace(good, `"waits_ns":[`, `"waits_ns":[1,`, 1), "waits of 2"},
		{"a long list", strings.Replace(good, `"steps":[`, `"steps":[`+strings.Repeat(`{"service":"","name":"","work_ns":0,"wait_ns":0},`, 64), 1), "longer"},
		{"a great line", good + strings.Repeat(" ", 1<<20), "bytes"},
	} {
		if _, err := summary.Parse([]byte(c.line)); err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 {
			t.Errorf("%s: %v, want %q", c.why, err, c.want)
		}
	}
	if _, err := summary.Parse([]byte(strings.Replace(good, `{`, `{"new":[1],`, 1))); err != nil {
		t.Errorf("a field that is not known: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"schema":"tracelab.summary/v1","root":{"trace":"00000000000000000000000000000001","span":"0000000000000001","service":"a","name":"b"},"outcome":"ok","completion_ns":1}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := summary.Parse(line)
		if err != nil {
			return
		}
		written := s.JSON()
		again, err := summary.Parse(written)
		if err != nil || !bytes.Equal(again.JSON(), written) {
			t.Errorf("reads back otherwise (%v):\n%s\n%s", err, written, again.JSON())
		}
		_, _ = s.TraceID(), s.ReasonRule()
	})
}
