package jaeger_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
)

// testdata/recorded/search.json is what a real Jaeger 2.13 (that of tools/jaeger) answered, byte for byte, when it was asked for the
// seconds of a run of one order in grpc and one in kafka. Polls and commits of those seconds are in it, too.
//
// No newer Jaeger can be built or fetched where the tests run. From 2.19 on it takes other questions (questions219) and answers
// in the same form, as the sources of its query_parser.go and http_gateway.go say. So the recorded answer is played to
// both kinds of questions, each under that version's own rules and with the refusals that were recorded from 2.13.
const (
	recordedRun = "20261121-125648.149-1"
	runSpans    = 46 // of the two orders
	allSpans    = 53 // with polls and commits
)

var recordedStart = time.Date(2026, 11, 21, 12, 56, 47, 0, time.UTC)

// refusals, as 2.13 gave them.
const (
	timesMissing = `{"error":{"httpCode":400,"message":"query.start_time_min and query.start_time_max are required"}}`
	nothingFound = `{"error":{"httpCode":404,"message":"No traces found"}}`
)

// questions219 are the parameters of a search from 2.19 on; the attributes are a JSON object of strings. Names with underscores are
// taken, too, as long as they are deprecated.
var questions219 = []string{"query.serviceName", "query.operationName", "query.startTimeMin", "query.startTimeMax", "query.searchDepth",
	"query.durationMin", "query.durationMax", "query.rawTraces", "query.attributes"}

// questions213 are those of 2.13, which passes over all others.
var questions213 = []string{"query.service_name", "query.operation_name", "query.start_time_min", "query.start_time_max", "query.num_traces",
	"query.duration_min", "query.duration_max", "query.raw_traces"}

// recording plays the answer to whoever asks rightly for that time.
func recording(t *testing.T, known []string, asked *[]url.Values) string {
	t.Helper()
	answer, err := os.ReadFile("testdata/recorded/search.json")
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(w http.ResponseWriter, code int, text string) { http.Error(w, text, code) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		*asked = append(*asked, q)
		value := func(i int) string { return q.Get(known[i]) }
		from, err1 := time.Parse(time.RFC3339Nano, value(2))
		to, err2 := time.Parse(time.RFC3339Nano, value(3))
		wanted := ""
		if len(known) > 8 {
			wanted = value(8)
		}
		switch {
		case err1 != nil || err2 != nil:
			refuse(w, http.StatusBadRequest, timesMissing)
		case value(4) == "":
			refuse(w, http.StatusInternalServerError, `{"error":{"httpCode":500,"message":"search depth must be greater than 0 and less than max traces"}}`)
		case from.After(recordedStart) || to.Before(recordedStart.Add(6*time.Second)), wanted != "" && wanted != `{"tracelab.run.id":"`+recordedRun+`"}`:
			refuse(w, http.StatusNotFound, nothingFound)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRecordedAnswers(t *testing.T) {
	for version, known := range map[string][]string{"2.13": questions213, "2.19": questions219} {
		t.Run(version, func(t *testing.T) {
			var asked []url.Values
			store, err := jaeger.Open(recording(t, known, &asked), jaeger.WithTimeout(10*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			question := source.Query{Attributes: map[string]string{"tracelab.run.id": recordedRun}, Start: recordedStart, End: recordedStart.Add(6 * time.Second), Limit: 500}
			result, err := store.Search(t.Context(), question)
			if err != nil || len(result.Spans) != runSpans || len(result.Warnings) > 0 {
				t.Fatalf("%d spans, %v, %v", len(result.Spans), err, result.Warnings)
			}
			if answer, err := store.SearchOTLP(t.Context(), question); err != nil || spanCount(answer.Traces) != allSpans || len(answer.Warnings) > 0 {
				t.Errorf("%d spans as OTLP, %v, %v; want all %d", spanCount(answer.Traces), err, answer.Warnings, allSpans)
			}
			last := asked[len(asked)-1]
			for name := range last {
				if strings.HasPrefix(name, "query.") && !slices.Contains(known, name) && name != "query.search_depth" {
					t.Errorf("asked with %s, which %s does not know", name, version)
				}
			}
			twoJourneys(t, result.Spans)
			question.Attributes["tracelab.run.id"] = "another"
			if result, err = store.Search(t.Context(), question); err != nil || len(result.Spans) > 0 {
				t.Errorf("another run: %d spans, %v", len(result.Spans), err)
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// twoJourneys holds when the spans are those of two orders, whole.
func twoJourneys(t *testing.T, spans []journey.Span) {
	t.Helper()
	set := journey.NewSet(spans)
	journeys := set.Journeys()
	if len(journeys) != 2 || len(set.Warnings()) > 0 {
		t.Fatalf("%d journeys, warnings %v", len(journeys), set.Warnings())
	}
	for _, j := range journeys {
		root, ok := j.Root()
		if !ok || set.Span(root).Service != "client" || len(j.Warnings()) > 0 {
			t.Errorf("root %v, warnings %v", root, j.Warnings())
		}
		if wait, ok := j.CallerWait(); !ok || wait <= 0 || j.Completion() < wait {
			t.Errorf("caller wait %v, completion %v", wait, j.Completion())
		}
	}
}

func spanCount(answers []ptrace.Traces) (n int) {
	for _, traces := range answers {
		n += traces.SpanCount()
	}
	return n
}

// Over gRPC a search returns each message of its answer, with all traces of it.
func TestSearchOTLPOverGRPC(t *testing.T) {
	address := serve(t, func(_ string, _ []byte, send func([]byte) error) error {
		return errors.Join(send(protobuf(t, trace(1))), send(protobuf(t, trace(2))))
	})
	answer, err := open(t, address).SearchOTLP(t.Context(), source.Query{Attributes: map[string]string{"order": "2"}, Start: base, End: base.Add(time.Second), Limit: 2})
	if err != nil || len(answer.Traces) != 2 || spanCount(answer.Traces) != 4 || len(answer.Warnings) != 1 || answer.Warnings[0].Rule != "D12" {
		t.Errorf("%d spans in %d messages, %v, %v", spanCount(answer.Traces), len(answer.Traces), answer.Warnings, err)
	}
}
