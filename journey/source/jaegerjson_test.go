package source_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey"
	"tracelab/journey/source"
)

// jaegerDocument is a trace of one span, which has these fields besides its ids.
func jaegerDocument(fields string) string {
	return `{"data":[{"traceID":"af7651916cd43dd8","spans":[{"traceID":"af7651916cd43dd8","spanID":"b7","processID":"p1",` + fields + `}],` +
		`"processes":{"p1":{"serviceName":"shop","tags":[{"key":"hostname","type":"string","value":"h"},{"key":"service.instance.id","type":"string","value":"i"}]}},` +
		`"warnings":["cut after 1 span"]}],"total":0,"errors":null}`
}

func readOne(t *testing.T, text string) (journey.Span, source.Result) {
	t.Helper()
	r, err := source.Read(strings.NewReader(text), "f")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Spans) != 1 {
		t.Fatalf("got %d spans, want 1", len(r.Spans))
	}
	return r.Spans[0], r
}

func attributes(pairs ...any) []journey.Attribute {
	var list []journey.Attribute
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, journey.Attribute{Key: pairs[i].(string), Value: pairs[i+1].(journey.Value)})
	}
	return list
}

func TestJaegerFields(t *testing.T) {
	s, r := readOne(t, jaegerDocument(`"operationName":"op","flags":3,"startTime":1750000000000001,"duration":12.5,"logs":[{"timestamp":1,"fields":[]}],"warnings":["skewed","late"],
		"tags":[{"key":"span.kind","type":"string","value":"consumer"},{"key":"otel.status_description","value":"no"},{"key":"otel.status_code","value":"ERROR"},
		{"key":"error","type":"bool","value":true},{"key":"otel.scope.name","value":"lib"},{"key":"otel.scope.version","value":"1"},{"key":"w3c.tracestate","value":"a=b"},
		{"key":"otel.dropped_links_count","type":"int64","value":3},{"key":"otel.dropped_events_count","type":"int64","value":2},{"key":"otel.dropped_attributes_count","type":"int64","value":1},
		{"key":"i","type":"int64","value":7},{"key":"big","type":"int64","value":"9007199254740993"},{"key":"f","type":"float64","value":7},{"key":"g","type":"float64","value":"2.5"},
		{"key":"b","type":"bool","value":"true"},{"key":"bytes","type":"binary","value":"AQI="},{"key":"bad","type":"int64","value":"seven"},{"key":"n","type":"string","value":null},{"key":"s","type":"string","value":"x"}]`))
	want := journey.Span{
		Kind: journey.KindConsumer, Status: journey.StatusError, StatusMessage: "no", Service: "shop", Name: "op", Scope: "lib", TraceState: "a=b", Flags: 1,
		Start: 1750000000000001000, End: 1750000000000013500, DroppedLinks: 3, DroppedEvents: 2, DroppedAttributes: 1,
		Source: "f:1", Warnings: []string{"skewed", "late"},
		Attributes: attributes("i", journey.IntValue(7), "big", journey.IntValue(9007199254740993), "f", journey.FloatValue(7), "g", journey.FloatValue(2.5), "b", journey.BoolValue(true),
			"bytes", journey.BytesValue([]byte{1, 2}), "bad", journey.StringValue("seven"), "n", journey.Value{}, "s", journey.StringValue("x")),
		Resource: &journey.Resource{HostName: "h", InstanceID: "i", Attributes: attributes("service.name", journey.StringValue("shop"), "hostname", journey.StringValue("h"), "service.instance.id", journey.StringValue("i"))},
	}
	want.Source = s.Source
	want.Trace = journey.TraceID{8: 0xaf, 0x76, 0x51, 0x91, 0x6c, 0xd4, 0x3d, 0xd8}
	want.ID = journey.SpanID{7: 0xb7}
	if d := cmp.Diff(want, s, sameValues); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(r.Warnings) != 2 || r.Warnings[0].Rule != journey.RuleStoreWarning || !strings.Contains(r.Warnings[0].Text, "f:1: trace 0000000000000000af7651916cd43dd8 was stored with a warning: cut after 1 span") || r.Warnings[1].Rule != journey.RuleFormatLoss {
		t.Errorf("warnings %v", r.Warnings)
	}
}

// The status comes from OpenTelemetry's tag, else from Jaeger's; any other tag called error stays one.
func TestJaegerStatus(t *testing.T) {
	for tags, want := range map[string]struct {
		status journey.Status
		left   int
	}{
		`{"key":"error","type":"bool","value":true}`:                                             {journey.StatusError, 0},
		`{"key":"error","type":"string","value":"true"}`:                                         {journey.StatusError, 0},
		`{"key":"error","type":"bool","value":false}`:                                            {journey.StatusUnset, 1},
		`{"key":"error","type":"string","value":"timeout"}`:                                      {journey.StatusUnset, 1},
		`{"key":"otel.status_code","value":"ERROR"}`:                                             {journey.StatusError, 0},
		`{"key":"otel.status_code","value":"OK"},{"key":"error","type":"bool","value":true}`:     {journey.StatusOK, 0},
		`{"key":"otel.status_code","value":"OK"}`:                                                {journey.StatusOK, 0},
		`{"key":"otel.status_code","value":"UNSET"},{"key":"http.route","value":"/orders/{id}"}`: {journey.StatusUnset, 1},
	} {
		s, _ := readOne(t, jaegerDocument(`"tags":[`+tags+`]`))
		if s.Status != want.status || len(s.Attributes) != want.left {
			t.Errorf("%s: status %v with %v left, want %v with %d", tags, s.Status, s.Attributes, want.status, want.left)
		}
	}
}

func TestJaegerReferences(t *testing.T) {
	const consumer, client = `{"key":"span.kind","value":"consumer"}`, `{"key":"span.kind","value":"client"}`
	for _, c := range []struct{ why, references, tags, parent, links string }{
		{"a parent", "C s 1", client, "1", ""},
		{"the first of two parents", "C s 1, C s 2", client, "1", "s/2 child_of"},
		{"a parent after a link", "F s 1, C s 2", consumer, "2", "s/1"},
		{"a parent and a link to it, written twice", "C s 1, F s 1", consumer, "1", "s/1"},
		{"a consumer that follows", "F s 1", consumer, "1", ""},
		{"a consumer that follows two", "F s 1, F s 2", consumer, "1", "s/2"},
		{"a consumer that follows another trace", "F o 1", consumer, "0", "o/1"},
		{"a consumer that follows another trace first", "F o 1, F s 2", consumer, "2", "o/1"},
		{"whatever follows, of any kind", "F s 1", client, "1", ""},
		{"a parent of another trace is a link", "C o 1", client, "0", "o/1 child_of"},
		{"none", "", client, "0", ""},
	} {
		var references []string
		for _, r := range strings.Split(c.references, ", ") {
			if w := strings.Fields(r); len(w) == 3 {
				references = append(references, fmt.Sprintf(`{"refType":%q,"traceID":%q,"spanID":%q}`,
					map[string]string{"C": "CHILD_OF", "F": "FOLLOWS_FROM"}[w[0]], map[string]string{"s": "af7651916cd43dd8", "o": "00000000000000000000000000000001"}[w[1]], w[2]))
			}
		}
		s, _ := readOne(t, jaegerDocument(`"references":[`+strings.Join(references, ",")+`],"tags":[`+c.tags+`]`))
		var links []string
		for _, l := range s.Links {
			trace := "o"
			if l.Trace == s.Trace {
				trace = "s"
			}
			link := trace + "/" + strings.TrimLeft(l.Span.String(), "0")
			for _, a := range l.Attributes {
				link += " " + a.Value.String()
			}
			links = append(links, link)
		}
		if got := s.Parent.String(); got != strings.Repeat("0", 15)+c.parent || strings.Join(links, " ") != c.links {
			t.Errorf("%s: parent %s, links %v; want %s, %s", c.why, got, links, c.parent, c.links)
		}
	}
	s, _ := readOne(t, jaegerDocument(`"parentSpanID":"5","references":[]`))
	if s.Parent != (journey.SpanID{7: 5}) {
		t.Errorf("a parent by its old field is %v", s.Parent)
	}
}

// A UI download nests the whole chain of parents in each reference.
func TestJaegerReferencesNestedDeep(t *testing.T) {
	const depth = 20_000
	nested := strings.Repeat(`{"refType":"CHILD_OF","traceID":"1","spanID":"2","span":{"x\"]":["`+`}"],"references":[`, depth) + strings.Repeat(`]}}`, depth)
	s, r := readOne(t, jaegerDocument(`"references":[`+nested+`],"operationName":"last"`))
	if s.Name != "last" || s.Links[0].Span != (journey.SpanID{7: 2}) || r.Damaged != 0 {
		t.Errorf("span %+v, %d lines damaged", s, r.Damaged)
	}
}

func TestJaegerProcesses(t *testing.T) {
	s, _ := readOne(t, `{"spans":[{"traceID":"1","spanID":"2","processID":"p1","process":{"serviceName":"own","tags":[]}}],"processes":{"p1":{"serviceName":"other"}}}`)
	if s.Service != "own" {
		t.Errorf("a process of its own gives the service %q", s.Service)
	}
	s, _ = readOne(t, `{"processes":{"p1":{"serviceName":"first"}},"spans":[{"spanID":"2","processID":"p1"}],"traceID":"a"}`)
	if s.Service != "first" || s.Trace != (journey.TraceID{15: 10}) {
		t.Errorf("processes before spans give %q of trace %v", s.Service, s.Trace)
	}
}

func TestJaegerErrors(t *testing.T) {
	for _, c := range []struct{ why, in, want string }{
		{"no such trace", `{"data":null,"total":0,"errors":[{"code":404,"msg":"trace not found"}]}`, `f:1: not traces but an error: "trace not found"`},
		{"no such trace, api/v3", `{"error":{"httpCode":404,"message":"No traces found"}}`, `not traces but an error: "No traces found"`},
		{"no traces", `{"data":[],"errors":null}`, `f:1: no spans: give OTLP`},
		{"other data", `{"data":[{"id":1}]}`, `an item of the field data has no field spans`},
		{"data of another type", `{"data":7}`, `no trace document: it has the fields "data"`},
		{"a time that is a word", jaegerDocument(`"startTime":"now"`), `field "startTime", byte`},
		{"a time before 1970", jaegerDocument(`"startTime":-1`), `field "startTime", byte`},
		{"a duration in other units", jaegerDocument(`"duration":1e9`), `field "duration", byte`},
		{"a long id", jaegerDocument(`"spanID":"00000000000000001"`), `field "spanID", byte`},
		{"an id of other letters", jaegerDocument(`"traceID":"xyz"`), `field "traceID", byte`},
		{"tags of another type", jaegerDocument(`"tags":{}`), `field "tags", byte`},
		{"a reference that does not end", strings.Split(jaegerDocument(`"references":[{"span":{"a":[`), "}")[0], `truncated`},
	} {
		_, err := source.Read(strings.NewReader(c.in), "f")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.why, err, c.want)
		}
	}
	s, _ := readOne(t, jaegerDocument(`"startTime":18446744073709551615,"duration":18446744073709551615`))
	if w := journey.NewSet([]journey.Span{s}).Warnings(); s.Start != math.MaxInt64 || s.End != math.MaxInt64 || len(w) != 1 || w[0].Rule != journey.RuleTimeRange {
		t.Errorf("enormous times give %d to %d with %v, want one warning D07", s.Start, s.End, w)
	}
}

// Fields of both formats may be in one object, in any order.
func TestDocumentOfBothFormats(t *testing.T) {
	jaeger := `{"traceID":"1","spanID":"2","processID":"p"}`
	var otlp map[string]json.RawMessage
	if err := json.Unmarshal([]byte(document(spanA)), &otlp); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"spans":[%s],"resourceSpans":%s,"spans":[%s],"processes":{"p":{"serviceName":"shop"}}}`, jaeger, otlp["resourceSpans"], jaeger)
	r, err := source.Read(strings.NewReader(text), "f")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Spans) != 3 || r.Spans[0].Service != "shop" || r.Spans[1].Service != "gateway" || r.Spans[2].Service != "shop" {
		t.Errorf("got %+v", r.Spans)
	}
}

// Jaeger's api/v3 hands out its warnings as an attribute.
func TestWarningsOfAPIv3(t *testing.T) {
	text := strings.Replace(document(spanB), `"attributes":[{"key":"s"`, `"attributes":[{"key":"@jaeger@warnings","value":{"arrayValue":{"values":[{"stringValue":"skewed"},{"stringValue":"late"}]}}},{"key":"s"`, 1)
	s, _ := readOne(t, text)
	if d := cmp.Diff([]string{"skewed", "late"}, s.Warnings); d != "" || len(s.Attributes) != 4 {
		t.Errorf("(-want +got):\n%s%v", d, s.Attributes)
	}
}
