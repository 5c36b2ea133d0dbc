package journey_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
	"tracelab/journey/lint"
	"tracelab/journey/source"
)

// judgedCase is an input like those that people reported, or that instrumentations of other languages emit, with the right
// values. Times are milliseconds from the root's start.
type judgedCase struct {
	file     string
	root     string   // the name of the root of the journey that is meant; the only one where it is empty
	measures string   // caller wait, completion, spans
	messages []string // SERVICE wait, by producer
	path     string   // the completion path, where it is told
	response string   // the response path, likewise
	notes    []string // rules of warnings of the journey that must be there
	never    []journey.RuleID
	findings []journey.RuleID // of lint that must be there
	clean    []journey.RuleID // of lint that must not be there
}

var noHopFindings = []journey.RuleID{"P02", "P03", "P10", "S01"}

var judgedCases = []judgedCase{
	{file: "d2a-receive-only-link.json", measures: "60 100 3", messages: []string{"accounting 50"}, never: []journey.RuleID{"P10"}, clean: noHopFindings},
	{file: "d2b-receive-only-parent.json", measures: "60 100 3", messages: []string{"accounting 50"}, never: []journey.RuleID{"P10"}, clean: noHopFindings},
	{file: "d2c-loop-span-around-receive-and-work.json", measures: "60 100 3", messages: []string{"accounting 50"}, notes: []string{"D15"}, never: []journey.RuleID{"P10"}},
	{file: "d3-poll-opened-before-send.json", measures: "60 240 4", messages: []string{"accounting 50"}, never: []journey.RuleID{"P10"}, clean: noHopFindings,
		path: "PlaceOrder[0,40] send orders[40,50] ~message[50,100] ~detached-after[100,101] store[101,240]"},
	{file: "d4a-tempo-v1-base64-batches.json", measures: "50 50 2"},
	{file: "d4b-tempo-v2-trace-wrapper.json", measures: "50 50 2"},
	{file: "zipkin-v2.json", measures: "20 80 5", messages: []string{"billing 22"},
		path: "post /orders[0,5] send[5,8] ~message[8,30] on-message[30,40] get[40,42] get[42,58] get[58,60] on-message[60,80]"},
	{file: "d5a-parent-as-link-ref-type-child_of.json", measures: "100 100 3", clean: []journey.RuleID{"P02"},
		response: "GET /[0,10] ingress[10,20] GET /[20,80] ingress[80,90] GET /[90,100]"},
	{file: "d5b-two-child_of.jaeger.json", measures: "100 100 4",
		response: "POST /o[0,5] right[5,55] POST /o[55,60] join[60,90] POST /o[90,100]"},
	{file: "d6-shared-id-two-spans.jaeger.json", measures: "10 10 2", never: []journey.RuleID{"D02"}, response: "get[0,2] get[2,8] get[8,10]"},
	{file: "d8-links-not-shown.json", root: "result", measures: "30 30 1"},
	{file: "d9-old-names-topic-blank.json", measures: "20 150 4", messages: []string{"w 87"}},
	{file: "d10-p02-on-receive-rooted-trace.json", measures: "60 240 3", messages: []string{"accounting 51"}, clean: []journey.RuleID{"P02", "P03"}},
	{file: "d11-long-stream-in-a-request.json", measures: "60 600020 5", notes: []string{"D18"}},
	{file: "d12-dag-links-between-consumers.json", measures: "5 100 4", messages: []string{"s1 5", "s2 5"},
		path: "start[0,5] ~message[5,10] signal2[10,60] ~message[60,65] signal3[65,100]"},
	{file: "d13-trace-id-cut-to-64-bits.jaeger.json", measures: "9 9 3", notes: []string{"D13"}, clean: []journey.RuleID{"P01", "P02"}, findings: []journey.RuleID{"D13"}},
	{file: "d14-redelivery.json", measures: "10 90 4", messages: []string{"w 12", "w 52"},
		path: "POST[0,2] send q[2,8] ~message[8,20] process q[20,40] ~retry[40,60] process q[60,90]"},
	{file: "i-01-java-agent-default.json", measures: "20 80 4", messages: []string{"billing 22"}, clean: noHopFindings},
	{file: "i-02-java-agent-receive-telemetry.json", measures: "20 80 4", messages: []string{"billing 22"}, clean: noHopFindings},
	{file: "i-04-spring-kafka-batch-old.json", measures: "20 80 5", messages: []string{"billing 22", "billing 18"}, clean: noHopFindings},
	{file: "i-05-python-confluent-kafka.json", measures: "20 80 4", messages: []string{"billing 24.82"}, clean: noHopFindings},
	{file: "i-06a-python-aiokafka-getone.json", measures: "20 30.1 3", messages: []string{"billing 24.7"}, notes: []string{"D14"}, clean: noHopFindings},
	{file: "i-06b-python-aiokafka-handler-extracts.json", measures: "20 80 4", messages: []string{"billing 24.9"}, clean: noHopFindings},
	{file: "i-08a-python-pika-no-child.json", measures: "20 80 3", messages: []string{"billing 24.7"}, clean: noHopFindings},
	{file: "i-09a-spring-boot-micrometer-no-child.json", measures: "20 80 3", messages: []string{"billing 22"}, clean: noHopFindings},
	{file: "i-10a-python-celery.json", measures: "20 80 4", messages: []string{"billing 24"}, clean: noHopFindings},
	{file: "i-11b-node-kafkajs-eachBatch.json", measures: "20 80 5", messages: []string{"billing 22", "billing 18"}, clean: []journey.RuleID{"P03"}},
	{file: "i-13b-node-sqs-receive-in-worker-span.json", measures: "20 30 3", messages: []string{"billing 2"}, notes: []string{"D15"}},
	{file: "i-15-dotnet-masstransit.json", measures: "20 80 5", messages: []string{"billing 22"}, clean: noHopFindings},
	{file: "i-17-custom-no-kinds.json", measures: "20 80 4", findings: []journey.RuleID{"P14"}},
	{file: "j-18-worker-loop-parent-link.json", measures: "20 80 3", messages: []string{"billing 22"},
		path: "POST /orders[0,5] send orders[5,8] ~message[8,30] process orders[30,80]"},
	{file: "j-20-retry-same-group.json", measures: "20 180 4", messages: []string{"billing 22", "billing 132"},
		path: "POST /orders[0,5] send orders[5,8] ~message[8,30] process orders[30,40] ~retry[40,140] process orders[140,180]"},
	{file: "j-22-request-reply.json", measures: "100 100 5", messages: []string{"billing 22", "web 6"}, notes: []string{"D16"},
		response: "POST /orders[0,5] send orders[5,8] POST /orders[8,100]"},
	{file: "j-23-outbox-relay-link.json", root: "POST /orders", measures: "20 20 2", notes: []string{"D17"}},
	{file: "j-23-outbox-relay-link.json", root: "outbox relay", measures: "10 40 3", messages: []string{"billing 15"}, notes: []string{"D17"}},
	{file: "j-24-no-service-name.json", measures: "20 80 3", messages: []string{" 22"}},
	{file: "j-micro-overrun.json", measures: "0.3 1.2 2", path: "root[0,0.2] background job[0.2,1.2]"},
}

func TestCases(t *testing.T) {
	for _, c := range judgedCases {
		t.Run(strings.TrimSuffix(c.file+" "+c.root, " "), func(t *testing.T) {
			set := readCase(t, c.file)
			j := journeyOf(t, set, c.root)
			checkCase(t, c, set, j)
		})
	}
}

func readCase(t *testing.T, file string) *journey.Set {
	t.Helper()
	result, err := source.ReadFile(filepath.Join("testdata", "cases", file))
	if err != nil {
		t.Fatal(err)
	}
	return journey.NewSet(result.Spans)
}

// journeyOf returns the journey with that root, or the only one.
func journeyOf(t *testing.T, set *journey.Set, root string) *journey.Journey {
	t.Helper()
	list := set.Journeys()
	if root != "" {
		list = slices.DeleteFunc(list, func(j *journey.Journey) bool {
			i, _ := j.First()
			return set.Span(i).Name != root
		})
	}
	if len(list) != 1 {
		t.Fatalf("%d journeys: %v", len(list), journeys(set))
	}
	return list[0]
}

func checkCase(t *testing.T, c judgedCase, set *journey.Set, j *journey.Journey) {
	t.Helper()
	wait, _ := j.CallerWait()
	if got := fmt.Sprintf("%s %s %d", millis(wait), millis(j.Completion()), j.Len()); got != c.measures {
		t.Errorf("caller wait, completion and spans are %s, want %s", got, c.measures)
	}
	var messages []string
	for _, m := range j.Messages() {
		messages = append(messages, set.Span(m.Consumer).Service+" "+millis(m.Wait))
	}
	equalLines(t, "messages", messages, c.messages)
	if c.path != "" {
		equalLines(t, "completion path", []string{draw.Path(set, j.CompletionPath())}, []string{c.path})
	}
	if c.response != "" {
		equalLines(t, "response path", []string{draw.Path(set, j.ResponsePath())}, []string{c.response})
	}
	var rules []string
	for _, w := range j.Warnings() {
		rules = append(rules, string(w.Rule))
		if slices.Contains(c.never, w.Rule) {
			t.Errorf("warning %s", w)
		}
	}
	for _, r := range c.notes {
		if !slices.Contains(rules, r) {
			t.Errorf("no warning %s: %v", r, j.Warnings())
		}
	}
	found := lint.Check(set)
	for _, f := range found.Findings {
		if slices.Contains(c.clean, f.Rule) {
			t.Errorf("lint finds %s: %s", f.Rule, f.Text)
		}
	}
	for _, r := range c.findings {
		if found.Counts.Rules[r] == 0 {
			t.Errorf("lint does not find %s: %v", r, found.Counts.Rules)
		}
	}
}

func millis(d time.Duration) string {
	return strings.TrimSuffix(fmt.Sprint(float64(d.Round(time.Microsecond))/1e6), ".0")
}

// The request of which a message comes back: with the conversation's id on what was sent first and on what came back, the
// caller's wait is in the other service.
func TestCaseReplyWithAnID(t *testing.T) {
	result, err := source.ReadFile(filepath.Join("testdata", "cases", "j-22-request-reply.json"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range result.Spans {
		if s := &result.Spans[i]; s.Name == "send orders" || s.Name == "process replies" {
			s.Attributes = append(slices.Clone(s.Attributes), journey.Attribute{Key: "messaging.message.conversation_id", Value: journey.StringValue("1")})
		}
	}
	set := journey.NewSet(result.Spans)
	j := journeyOf(t, set, "")
	equalLines(t, "response path", []string{draw.Path(set, j.ResponsePath())}, []string{
		"POST /orders[0,5] send orders[5,8] ~message[8,30] process orders[30,75] send replies[75,79] ~message[79,85] process replies[85,90] POST /orders[90,100]"})
	if r := j.Replies(); len(r) != 1 || set.Span(r[0].Waiter).Name != "POST /orders" || set.Span(r[0].Back).Name != "process replies" {
		t.Errorf("replies %v", r)
	}
	if slices.ContainsFunc(j.Warnings(), func(w journey.Warning) bool { return w.Rule == journey.RuleOpenReply }) {
		t.Errorf("warnings %v", j.Warnings())
	}
}

// Without the stream, the journey ends with its answer.
func TestCaseWithoutTheStream(t *testing.T) {
	result, err := source.ReadFile(filepath.Join("testdata", "cases", "d11-long-stream-in-a-request.json"))
	if err != nil {
		t.Fatal(err)
	}
	x, _ := journey.ParseSelector("payment/flagd.evaluation.v2.Service/EventStream")
	j := journeyOf(t, journey.NewSet(result.Spans, journey.Without(x)), "")
	if j.Completion() != 60*time.Millisecond {
		t.Errorf("completion %s", j.Completion())
	}
	for _, w := range j.Warnings() {
		t.Errorf("warning %s", w)
	}
}

// Links that are no cause are kept, both ways.
func TestCaseRelatedLinks(t *testing.T) {
	set := readCase(t, "d8-links-not-shown.json")
	result, _ := journeyOf(t, set, "result").Root()
	to, from := set.Related(result)
	if len(to) != 3 || len(from) != 0 {
		t.Fatalf("result is related to %v, and from %v", to, from)
	}
	for _, i := range to {
		if _, back := set.Related(i); !slices.Equal(back, []journey.Index{result}) {
			t.Errorf("%s is related from %v", set.Span(i).Name, back)
		}
	}
}

// Jaeger's case 5, as Jaeger JSON: a reference FOLLOWS_FROM and no other. The Jaeger UI takes the span off the path. But Jaeger
// writes the parent of a span as FOLLOWS_FROM, too, where the span also links to it, and its own model takes the first
// FOLLOWS_FROM for the parent where there is no CHILD_OF. So it is the parent here, and a span within its parent is a call. It
// moves work from one span to the other; the caller wait is the same.
func TestFollowsFromIsAParent(t *testing.T) {
	const document = `{"data":[{"traceID":"1","processes":{"p":{"serviceName":"s"}},"spans":[
		{"traceID":"1","spanID":"a","operationName":"A","startTime":1,"duration":30,"processID":"p","references":[]},
		{"traceID":"1","spanID":"b","operationName":"B","startTime":10,"duration":10,"processID":"p","references":[{"refType":"FOLLOWS_FROM","traceID":"1","spanID":"a"}]}]}]}`
	result, err := source.Read(strings.NewReader(document), "jaeger")
	if err != nil {
		t.Fatal(err)
	}
	set := journey.NewSet(result.Spans)
	j := set.Journeys()[0]
	equalLines(t, "response path", []string{draw.Path(set, j.ResponsePath())}, []string{"A[0,0.009] B[0.009,0.019] A[0.019,0.03]"})
	if wait, _ := j.CallerWait(); wait != 30*time.Microsecond {
		t.Errorf("caller wait %v", wait)
	}
}

// Which journeys of the sets that are compared are whole.
func TestCasesWhole(t *testing.T) {
	for _, c := range []struct {
		file                  string
		journeys, whole, root int
		reason                string
	}{
		{"d1-full.json", 12, 12, 12, ""},
		{"d1-sampled.json", 12, 2, 12, "q was not handled by g"},
		{"d1b-roots-sampled-out.json", 12, 2, 2, "what process q of w links to is missing"},
		{"spring-before.json", 8, 8, 8, ""},
		{"spring-after-200ms-slower-consumer.json", 8, 8, 8, ""},
	} {
		t.Run(c.file, func(t *testing.T) {
			whole, rooted := 0, 0
			list := readCase(t, c.file).Journeys()
			for _, j := range list {
				if _, ok := j.Root(); ok {
					rooted++
				}
				reason, incomplete := j.Incomplete()
				if !incomplete {
					whole++
				} else if !strings.HasPrefix(reason, c.reason) || c.reason == "" {
					t.Errorf("incomplete: %s", reason)
				}
			}
			if len(list) != c.journeys || whole != c.whole || rooted != c.root {
				t.Errorf("%d journeys, %d whole, %d with a root; want %d, %d, %d", len(list), whole, rooted, c.journeys, c.whole, c.root)
			}
		})
	}
}

// A consumer that is 200 ms slower: the completion is, the caller wait is not.
func TestCasesSpring(t *testing.T) {
	before, after := readCase(t, "spring-before.json").Journeys(), readCase(t, "spring-after-200ms-slower-consumer.json").Journeys()
	for k := range before {
		if d := after[k].Completion() - before[k].Completion(); d != 200*time.Millisecond {
			t.Errorf("journey %d completes %s later", k, d)
		}
		x, _ := before[k].CallerWait()
		y, _ := after[k].CallerWait()
		if x != y {
			t.Errorf("journey %d: the caller waits %s, and %s", k, x, y)
		}
	}
}

// Every file of the cases is used.
func TestCasesAreAllUsed(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "cases", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		used := slices.ContainsFunc(judgedCases, func(c judgedCase) bool { return c.file == name })
		if !used && !slices.Contains([]string{"d1-full.json", "d1-sampled.json", "d1b-roots-sampled-out.json", "d15-null.json", "spring-before.json", "spring-after-200ms-slower-consumer.json"}, name) {
			t.Errorf("%s is in no test", name)
		}
	}
	if _, err := source.ReadFile(filepath.Join("testdata", "cases", "d15-null.json")); err == nil || !strings.Contains(err.Error(), "null is no trace document") {
		t.Errorf("null: %v", err)
	}
}
