package jaeger_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
)

func TestParseAddress(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	a, b := journey.TraceID{14: 1, 15: 0xaf}, journey.TraceID{15: 2}
	micro := func(n int64) time.Time { return time.UnixMicro(n).UTC() }
	for text, want := range map[string]jaeger.Address{
		"jaeger:1af": {Traces: []journey.TraceID{a}},
		"jaeger:000000000000000000000000000001AF":                                  {Traces: []journey.TraceID{a}},
		"http://localhost:16686/trace/1af":                                         {Base: "http://localhost:16686", Traces: []journey.TraceID{a}},
		"https://u:p@example.com/jaeger/ui/trace/1af/?uiFind=x#top":                {Base: "https://u:p@example.com/jaeger/ui", Traces: []journey.TraceID{a}},
		"http://localhost:16686/trace/1af...2?cohort=1af&cohort=2":                 {Base: "http://localhost:16686", Traces: []journey.TraceID{a, b}, Comparison: true},
		"http://localhost:16686/api/traces/1af?prettyPrint=true":                   {Base: "http://localhost:16686", Traces: []journey.TraceID{a}},
		"http://localhost:16686/trace/api/v3/traces/1af":                           {Base: "http://localhost:16686/trace", Traces: []journey.TraceID{a}},
		"http://localhost:16686/search?traceID=1af&traceID=2":                      {Base: "http://localhost:16686", Traces: []journey.TraceID{a, b}},
		"http://localhost:16686/search?service=shop":                               {Base: "http://localhost:16686", Search: &source.Query{Service: "shop", Start: now.Add(-time.Hour), End: now}},
		"http://localhost:16686/search?service=shop&lookback=2d&limit=20&end=":     {Base: "http://localhost:16686", Search: &source.Query{Service: "shop", Start: now.Add(-48 * time.Hour), End: now, Limit: 20}},
		"http://localhost:16686/search?operation=all&start=1000001&end=2000000":    {Base: "http://localhost:16686", Search: &source.Query{Start: micro(1000001), End: micro(2000000)}},
		"http://localhost:16686/search?end=3600000000&lookback=custom&tag=a%3Ab:c": {Base: "http://localhost:16686", Search: &source.Query{Start: micro(0), End: micro(3600000000), Attributes: map[string]string{"a": "b:c"}}},
		"http://localhost/b/search?operation=GET%20%2F&start=1&end=2&minDuration=1.5ms&maxDuration=2s&lookback=1h&tags=%7B%22error%22%3A%22true%22%7D": {
			Base: "http://localhost/b", Search: &source.Query{Operation: "GET /", Start: micro(1), End: micro(2), MinDuration: 1500 * time.Microsecond, MaxDuration: 2 * time.Second, Attributes: map[string]string{"error": "true"}}},
	} {
		got, err := jaeger.ParseAddress(text, now)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, d)
		}
	}
}

func TestParseAddressErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "no address in a Jaeger",
		"runs/latest":         "no address in a Jaeger",
		"file:///trace/1":     "no address in a Jaeger",
		"http:///trace/1":     "no address in a Jaeger",
		"http://h/":           "no address in a Jaeger: its path",
		"http://h/trace":      "no address in a Jaeger: its path",
		"http://h/\x7f":       "no address in a Jaeger",
		"jaeger:":             `trace id ""`,
		"jaeger:xyz":          `trace id "xyz"`,
		"http://h/trace/xyz":  `trace id "xyz"`,
		"http://h/trace/1...": `a comparison of two traces: trace id ""`,
		"http://h/trace/" + strings.Repeat("1", 33): "want up to 32 hexadecimal digits",
		"http://h/search?start=x":                   "start: ",
		"http://h/search?end=x":                     "end: ",
		"http://h/search?lookback=2y":               `lookback "2y"`,
		"http://h/search?lookback=h":                `lookback "h"`,
		"http://h/search?limit=many":                `"many"`,
		"http://h/search?minDuration=1":             "minDuration: ",
		"http://h/search?tags=error":                `tags "error"`,
		"http://h/search?tag=error":                 `tag "error"`,
		"http://h/search?traceID=1&traceID=":        `trace id ""`,
	} {
		_, err := jaeger.ParseAddress(text, time.Now())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
			continue
		}
		if none := strings.HasPrefix(want, "no address"); none != errors.Is(err, jaeger.ErrNoAddress) {
			t.Errorf("%q: %v is ErrNoAddress: %v, want %v", text, err, !none, none)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"jaeger:1af", "http://h/trace/1...2", "http://h/b/search?start=1&end=2&tags={}&lookback=1h&tag=a:b", "http://h/search?traceID=1", "http://u:p@h/api/v3/traces/1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := jaeger.ParseAddress(text, time.Now())
		if err == nil && (len(a.Traces) > 0) == (a.Search != nil) {
			t.Errorf("%q names %d traces and the search %v", text, len(a.Traces), a.Search)
		}
		if err == nil && a.Comparison && len(a.Traces) != 2 {
			t.Errorf("%q compares %d traces", text, len(a.Traces))
		}
	})
}

func TestOpen(t *testing.T) {
	for _, bad := range []string{"", "localhost:16686", "ftp://localhost", "http://", "http://a b"} {
		if _, err := jaeger.Open(bad); err == nil || !strings.Contains(err.Error(), "address of Jaeger") {
			t.Errorf("%q: got error %v", bad, err)
		}
	}
	store := open(t, newServer(t, newest).URL)
	if r, err := store.Trace(t.Context(), journey.TraceID{15: 1}); err != nil || len(r.Spans) != 2 {
		t.Errorf("got %d spans, %v", len(r.Spans), err)
	}
}
