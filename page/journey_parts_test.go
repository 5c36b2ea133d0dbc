package page

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/predict"
	"tracelab/journey/report"
	"tracelab/lab"
)

func TestHexOf(t *testing.T) {
	for value, want := range map[string]string{
		"00-ab-01": "", "größe": "", `a\xffb`: "61 ff 62", "a\x00b": "61 00 62", "\xff": "ff", `C:\new`: "",
	} {
		if got := hexOf(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	if long := hexOf(strings.Repeat("\x00", 1000)); !strings.HasSuffix(long, "… and 744 more bytes") {
		t.Error(long)
	}
}

func TestClipKeepsCharacters(t *testing.T) {
	for text, want := range map[string]string{"abc": "abc", "abcdef": "abcd… (and 2 more bytes)", "abcößx": "abc… (and 5 more bytes)", "a\x00": `a\x00`} {
		if got := clip(text, 4); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestChangedPartsAreMarked marks what differs from the hop before, and nothing else.
func TestChangedPartsAreMarked(t *testing.T) {
	for _, c := range []struct {
		name string
		line report.HeaderLine
		want []string // the marked parts
	}{
		{"next span id", report.HeaderLine{Name: "traceparent", Mark: "~", Value: "00-aa-bb-01", Was: "00-aa-cc-01"}, []string{"bb"}},
		{"new trace, not sampled", report.HeaderLine{Name: "traceparent", Mark: "~", Value: "00-aa-bb-00", Was: "00-dd-cc-01"}, []string{"aa", "bb", "00"}},
		{"other form", report.HeaderLine{Name: "traceparent", Mark: "~", Value: "garbage", Was: "00-dd-cc-01"}, []string{"garbage"}},
		{"member changed", report.HeaderLine{Mark: "~", Value: "a=2", Was: "a=1"}, []string{"2"}},
		{"member joined", report.HeaderLine{Name: "baggage", Mark: "+", Value: "a=2"}, []string{"a=2"}},
		{"as before", report.HeaderLine{Name: "tracestate", Value: "a=2"}, nil},
	} {
		var marked []string
		whole := ""
		for _, p := range partsOf(c.line) {
			whole += p.Text
			if p.Changed {
				marked = append(marked, p.Text)
			}
		}
		if whole != c.line.Value || !slices.Equal(marked, c.want) {
			t.Errorf("%s: %q is marked in %q, want %q", c.name, marked, whole, c.want)
		}
	}
}

// TestJourneyAddresses writes what a URL asks for as a URL that asks for the same.
func TestJourneyAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "?",
		"span=00000000000000ab&tab=headers":   "?span=00000000000000ab&tab=headers",
		"span=zz&tab=nowhere&rows=5":          "?",
		"with=grpc,grpc,rest,ack,kafka":       "?with=grpc%2Crest%2Cack",
		"with=none":                           "?with=none",
		"with=%3Cscript%3E&rows=all":          "?rows=all&with=%3Cscript%3E",
		"span=00000000000000ab&span=x&with=,": "?span=00000000000000ab&with=none",
	} {
		v, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := readJourneyQuery(v).address(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	q := journeyQuery{With: []string{"grpc"}}
	if on, off := q.toggled("rest"), q.toggled("grpc"); on != "?with=grpc%2Crest" || off != "?with=none" {
		t.Errorf("a twin more: %s, less: %s", on, off)
	}
}

// TestPredictionsHaveARangeOrSayWhy: from 20 pairs on, how far predictions were off is the range of the next one.
func TestPredictionsHaveARangeOrSayWhy(t *testing.T) {
	x := predict.Journey{Measured: predict.Times{CallerWait: 3e6, Completion: 60e6, Rooted: true}, Predicted: predict.Times{CallerWait: 50e6, Completion: 50e6, Rooted: true}}
	off := func(n int, p95 *float64) []predict.Residual {
		return []predict.Residual{{Measure: compare.CallerWait, P95: p95, N: n}, {Measure: compare.Completion, P95: p95, N: n}}
	}
	twin := messagesSent("grpc", 100)
	rows := rowsOf(x, twin, off(25, new(4.0)))
	if len(rows) != 2 || rows[0].Range != "46.0 ms to 54.0 ms" || rows[0].Real == "" || rows[0].Inside != "outside the range" {
		t.Errorf("%+v", rows)
	}
	if rows = rowsOf(x, twin, off(25, new(1000.0))); !strings.HasPrefix(rows[0].Range, "0 s to") || rows[0].Inside != "inside the range" {
		t.Errorf("%+v", rows)
	}
	for _, few := range [][]predict.Residual{nil, off(19, new(4.0)), off(25, nil)} {
		if rows = rowsOf(x, nil, few); rows[0].Range != "not known: it takes 20 pairs of twins" || rows[0].Inside != "" || rows[0].Real != "" {
			t.Errorf("%+v", rows)
		}
	}
	if v := predictionOf(drawnJourney{Form: "kafka", Of: twin}, "grpc", nil, nil); !strings.Contains(v.Problem, "no unit of this form is kept") {
		t.Errorf("%+v", v)
	}
}

// TestAnswersThatTellOfAFailure say so on the page of a journey, and neither that the unit was accepted nor that it was done.
func TestAnswersThatTellOfAFailure(t *testing.T) {
	told := func(status int) int {
		return drawnOf(lab.LiveJourney{JourneyLine: lab.JourneyLine{Status: status}}).Error
	}
	if told(402) != 402 || told(504) != 504 || told(202) != 0 || told(0) != 0 {
		t.Errorf("402, 504, 202 and no answer tell of %d, %d, %d, %d", told(402), told(504), told(202), told(0))
	}
	k := knownJourney{Unit: "order", Form: "kafka", Journey: messagesSent("kafka", 20), Error: 402, Forms: []string{"kafka"}}
	text := drawPage(t, views(), k, journeyQuery{})
	if !strings.Contains(text, "The answer tells of an <strong>error</strong>, status 402") || strings.Contains(text, "<strong>accepted") || strings.Contains(text, "<strong>done") {
		t.Errorf("the page does not say what the answer said: %s", text)
	}
}

// TestLinksIntoJaeger are there where a Jaeger is named whose pages can be known.
func TestLinksIntoJaeger(t *testing.T) {
	of := messagesSent("kafka", 100)
	want := []jaegerLink{{"Its trace in Jaeger", "http://127.0.0.1:16686/trace/" + of.Traces()[0].String()}}
	k := knownJourney{Unit: "order", Form: "kafka", Journey: of, Jaeger: "http://127.0.0.1:16686"}
	p := newJourneyPage(k, journeyQuery{Span: of.Set().Span(of.Spans()[1]).ID})
	if diff := cmp.Diff(want, p.Jaeger); diff != "" || p.Span == nil || p.Span.Jaeger != want[0].Href {
		t.Error(diff)
	}
	for _, address := range []string{"", "grpc://127.0.0.1:4317", "javascript:alert(1)"} {
		k.Jaeger = address
		if p := newJourneyPage(k, journeyQuery{}); p.Jaeger != nil {
			t.Errorf("%q: %v", address, p.Jaeger)
		}
	}
}

// TestEventsOfASpan come from the spans as they came, bounded.
func TestEventsOfASpan(t *testing.T) {
	of := messagesSent("kafka", 100)
	s := of.Set().Span(of.Spans()[1])
	came := ptrace.NewTraces()
	span := came.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID(s.Trace))
	span.SetSpanID(pcommon.SpanID(s.ID))
	for range maxEvents + 5 {
		e := span.Events().AppendEmpty()
		e.SetName("exception")
		e.SetTimestamp(pcommon.NewTimestampFromTime(time.Unix(0, of.Start()+5e6)))
		e.Attributes().PutStr("exception.message", "<b>payment</b>")
	}
	v := spanOf(drawnJourney{Form: "kafka", Of: of}, journeyQuery{Span: s.ID}, came, "")
	if len(v.Events) != maxEvents || v.Events[0].At != "5.00 ms" || v.Events[0].Attributes[0].Value != "<b>payment</b>" || !slices.Contains(v.More, "5 more events") {
		t.Errorf("%d events, %+v, %q", len(v.Events), v.Events[0], v.More)
	}
	if v := spanOf(drawnJourney{Form: "kafka", Of: of}, journeyQuery{Span: journey.SpanID{9, 9}}, came, ""); v != nil {
		t.Error("a span that is not there is shown")
	}
}
