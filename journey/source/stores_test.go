package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey"
	"tracelab/journey/source"
)

func readTestdata(t *testing.T, name string) source.Result {
	t.Helper()
	r, err := source.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// onlyJourney returns the journey of spans that are one.
func onlyJourney(t *testing.T, r source.Result) *journey.Journey {
	t.Helper()
	journeys := journey.NewSet(r.Spans).Journeys()
	if len(journeys) != 1 {
		t.Fatalf("%d journeys, want 1", len(journeys))
	}
	return journeys[0]
}

// Tempo writes ids in base64, as protobuf's JSON mapping does.
func TestTempo(t *testing.T) {
	for _, name := range []string{"tempo-v1-batches.json", "tempo-v2-trace.json"} {
		r := readTestdata(t, name)
		if len(r.Spans) != 2 || len(r.Warnings) > 0 || r.Spans[0].Trace.String() != "aaaaaaaa00000000aaaaaaaa00000001" || r.Spans[1].Parent.String() != "bb00000000000001" {
			t.Errorf("%s: %+v, %v", name, r.Spans, r.Warnings)
		}
		if wait, ok := onlyJourney(t, r).CallerWait(); !ok || wait != 50*time.Millisecond {
			t.Errorf("%s: caller wait %v, want 50 ms", name, wait)
		}
	}
}

// Ids in base64 that cannot be read are one warning for a document, not one for each span.
func TestBase64IDs(t *testing.T) {
	text, err := os.ReadFile("testdata/tempo-v2-trace.json")
	if err != nil {
		t.Fatal(err)
	}
	good := strings.ReplaceAll(string(text), "\n", "")
	for _, id := range []string{"qqqqqgAAAACqqqqqAAAA_Q==", "qqqqqgAAAACqqqqqAAAAAQA=", "qqqqqgAAAACqqqqqAAA====="} {
		onlyTheDocument(t, good, strings.ReplaceAll(good, "qqqqqgAAAACqqqqqAAAAAQ==", id))
	}
}

func onlyTheDocument(t *testing.T, good, bad string) {
	t.Helper()
	r, err := source.Read(strings.NewReader(good+"\n"+bad+"\n"+bad), "f")
	if err != nil || len(r.Spans) != 2 || r.Damaged != 4 || len(r.Warnings) != 2 || !strings.Contains(r.Warnings[0].Text, `field "traceId"`) || !strings.Contains(r.Warnings[0].Text, "and 1 more in this document") {
		t.Errorf("%d spans, %d damaged, %v, %v", len(r.Spans), r.Damaged, r.Warnings, err)
	}
}

// Some SDKs write each ResourceSpans as a document of its own.
func TestBareResourceSpans(t *testing.T) {
	want, err := source.Read(strings.NewReader(document(spanA)+"\n"+document(spanB)), "f")
	if err != nil {
		t.Fatal(err)
	}
	bare := func(span string) string {
		return strings.TrimSuffix(strings.TrimPrefix(document(span), `{"resourceSpans":[`), `]}`)
	}
	for why, in := range map[string]string{
		"lines":               bare(spanA) + "\n" + bare(spanB),
		"the resource behind": bare(spanA) + "\n" + `{"scopeSpans":` + strings.SplitN(strings.TrimSuffix(bare(spanB), "}"), `,"scopeSpans":`, 2)[1] + "," + strings.SplitN(bare(spanB), `,"scopeSpans":`, 2)[0][1:] + "}",
	} {
		got, err := source.Read(strings.NewReader(in), "f")
		if err != nil {
			t.Errorf("%s: %v\n%s", why, err, in)
			continue
		}
		if d := cmp.Diff(want.Spans, got.Spans, sameValues); d != "" || len(got.Warnings) > 0 {
			t.Errorf("%s (-wrapped +bare):\n%s%v", why, d, got.Warnings)
		}
	}
}

// The other references of a span with two parents say that they are parents.
func TestJaegerTwoParents(t *testing.T) {
	r := readTestdata(t, "jaeger-two-parents.json")
	join := r.Spans[3]
	if len(r.Spans) != 4 || join.Parent != (journey.SpanID{7: 0xa2}) || len(join.Links) != 1 || join.Links[0].Span != (journey.SpanID{7: 0xa3}) ||
		len(join.Links[0].Attributes) != 1 || join.Links[0].Attributes[0] != (journey.Attribute{Key: "opentracing.ref_type", Value: journey.StringValue("child_of")}) {
		t.Errorf("the join is %+v", join)
	}
}

// A trace id that a service cut to 64 bits is kept as it is: whose it is, the set tells.
func TestJaegerShortTraceID(t *testing.T) {
	r := readTestdata(t, "jaeger-short-trace-id.json")
	if len(r.Spans) != 3 || r.Spans[2].Trace.String() != "0000000000000000f9965485593768ce" || r.Spans[2].Parent != (journey.SpanID{7: 0xa2}) {
		t.Errorf("%+v", r.Spans)
	}
}

// What the Jaeger UI downloads has whole spans in references, which hide neither the reference nor what follows.
func TestJaegerDownload(t *testing.T) {
	r := readTestdata(t, "jaeger-two-parents.json")
	text, err := os.ReadFile("testdata/jaeger-two-parents.json")
	if err != nil {
		t.Fatal(err)
	}
	nested := strings.Replace(string(text), `"spanID": "00000000000000a2"
      },`, `"spanID": "00000000000000a2", "span": {"spanID": "x", "references": [{"refType": "CHILD_OF", "traceID": "1", "spanID": "9", "span": {"tags": [{"key": "}]"}]}}]}
      },`, 1)
	if nested == string(text) {
		t.Fatal("nothing was nested")
	}
	got, err := source.Read(strings.NewReader(nested), "f")
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Spans {
		got.Spans[i].Source = r.Spans[i].Source
	}
	if d := cmp.Diff(r.Spans, got.Spans, sameValues); d != "" {
		t.Errorf("(-plain +nested):\n%s", d)
	}
}
