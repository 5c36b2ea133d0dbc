package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tracelab/internal/testkit"
)

// Where the cases of the judge are, and the documents of other tools.
var (
	caseFiles  = filepath.Join("..", "..", "journey", "testdata", "cases")
	otherFiles = filepath.Join("..", "..", "journey", "source", "testdata", "other")
)

// caseCommand is a command on files of a case, and what it prints. Times are milliseconds.
type caseCommand struct {
	args  string   // with the names of files
	line  string   // of `journey`: caller wait, completion, spans, unreached spans where there are any
	waits string   // of `journey`: what each message waited in the queue, by producer
	path  string   // of `journey`: the response path where it begins with R, else the completion path
	says  []string // text that is there, with one space for each run of white space
	never []string // text that is not
}

// The rules of findings and notes that would be wrong about a message that was delivered as it should be.
var noHopRules = []string{"P02", "P03", "P10", "S01"}

var caseCommands = []caseCommand{
	{args: "compare d1-full.json d1-sampled.json", never: []string{"100 ms less"},
		says: []string{"journeys 2, incomplete 10", "10 of 12 journeys are incomplete, and in no figure: 10 × q was not handled by g, though it is elsewhere (P05)", "with 2 of the 6 pairs"}},
	{args: "compare d1-full.json d1b-roots-sampled-out.json", never: []string{"completion 100 ms"},
		says: []string{"no root 0 0 (+ 10 incomplete)", "10 of 12 journeys are incomplete, and in no figure", "with 2 of the 6 pairs"}},
	{args: "journey d2a-receive-only-link.json --trace aaaaaaaa00000000aaaaaaaa00000001", line: "60 100 3", waits: "50", says: []string{"orders checkout accounting"}, never: noHopRules},
	{args: "journey d2b-receive-only-parent.json --trace aaaaaaaa00000000aaaaaaaa00000001", line: "60 100 3", waits: "50", says: []string{"orders checkout accounting"}, never: noHopRules},
	{args: "journey d2c-loop-span-around-receive-and-work.json --trace aaaaaaaa00000000aaaaaaaa00000001", line: "60 100 3", waits: "50",
		says: []string{"1 span is in the loop order-consumed of accounting that nothing ties to what was received beside it"}, never: []string{"P10"}},
	{args: "journey d2c-loop-span-around-receive-and-work.json --list", says: []string{"checkout PlaceOrder"}, never: []string{"accounting order-consumed"}},
	{args: "journey d3-poll-opened-before-send.json", line: "60 240 4", waits: "50", never: []string{"P10", "clocks"},
		path: "PlaceOrder[0,40] send orders[40,50] ~message[50,100] ~detached-after[100,101] store[101,240]"},
	{args: "journey d4a-tempo-v1-base64-batches.json", line: "50 50 2"},
	{args: "journey d4b-tempo-v2-trace-wrapper.json", line: "50 50 2"},
	{args: "journey zipkin-v2.json", line: "20 80 5", waits: "22",
		path: "post /orders[0,5] send[5,8] ~message[8,30] on-message[30,40] get[40,42] get[42,58] get[58,60] on-message[60,80]",
		says: []string{"40.0 ms 20.0 ms billing get 42.0 ms 16.0 ms prices get"}},
	{args: "journey d5a-parent-as-link-ref-type-child_of.json", line: "100 100 3", says: []string{"0 s 100 ms edge GET / 10.0 ms 80.0 ms mesh ingress 20.0 ms 60.0 ms app GET /"}},
	{args: "journey d5b-two-child_of.jaeger.json", line: "100 100 4", path: "R POST /o[0,5] right[5,55] POST /o[55,60] join[60,90] POST /o[90,100]", says: []string{"join [continuation]"}},
	{args: "journey d6-shared-id-two-spans.jaeger.json", line: "10 10 2", path: "R get[0,2] get[2,8] get[8,10]", never: []string{"D02"}},
	{args: "journey d8-links-not-shown.json --trace aaaaaaaa00000000aaaaaaaa00000032", line: "30 30 1",
		says: []string{"links to", "aaaaaaaa00000000aaaaaaaa00000028", "aaaaaaaa00000000aaaaaaaa00000029", "aaaaaaaa00000000aaaaaaaa0000002a"}},
	{args: "journey d8-links-not-shown.json --trace aaaaaaaa00000000aaaaaaaa00000028", says: []string{"linked from agg result of trace aaaaaaaa00000000aaaaaaaa00000032"}},
	{args: "journey d8-links-not-shown.json --trace aaaaaaaa00000000aaaaaaaa00000032 --format html", says: []string{"links to", "aaaaaaaa00000000aaaaaaaa0000002a"}},
	{args: "journey d8-links-not-shown.json --trace aaaaaaaa00000000aaaaaaaa00000028 --format html", says: []string{"linked from agg result of trace aaaaaaaa00000000aaaaaaaa00000032"}},
	{args: "journey d9-old-names-topic-blank.json", line: "20 150 4", waits: "87", says: []string{"t api w 10.0 ms 87.0 ms 97.0 ms", "queue t"}},
	{args: "lint d10-p02-on-receive-rooted-trace.json", never: []string{"P02", "P03"}},
	{args: "journey d11-long-stream-in-a-request.json", line: "60 600020 5", says: []string{"--without 'payment/flagd.evaluation.v2.Service/EventStream' leaves it out"}},
	{args: "journey d11-long-stream-in-a-request.json --without payment/flagd.evaluation.v2.Service/EventStream", line: "60 60 3", says: []string{"payment/flagd.evaluation.v2.Service/EventStream"}},
	{args: "journey d12-dag-links-between-consumers.json", line: "5 100 4", waits: "5 5", path: "start[0,5] ~message[5,10] signal2[10,60] ~message[60,65] signal3[65,100]"},
	{args: "journey d13-trace-id-cut-to-64-bits.jaeger.json", line: "9 9 3", says: []string{"had a trace id that a service cut to 64 bits"}, never: []string{"sampled out", "P01", "P02"}},
	{args: "lint d13-trace-id-cut-to-64-bits.jaeger.json", says: []string{"one trace is stored as two"}, never: []string{"sampled out", "P01", "P02"}},
	{args: "journey d14-redelivery.json", line: "10 90 4", waits: "12 52", path: "POST[0,2] send q[2,8] ~message[8,20] process q[20,40] ~retry[40,60] process q[60,90]"},

	{args: "journey i-01-java-agent-default.json", line: "20 80 4", waits: "22"},
	{args: "journey i-02-java-agent-receive-telemetry.json --root POST", line: "20 80 4", waits: "22"},
	{args: "journey i-04-spring-kafka-batch-old.json", line: "20 80 5", waits: "22 18", says: []string{"INSERT b"}},
	{args: "journey i-05-python-confluent-kafka.json --root POST", line: "20 80 4 unreached 1", waits: "24.82"},
	{args: "journey i-06a-python-aiokafka-getone.json", line: "20 30.1 3", waits: "24.7", says: []string{"of what billing did with the message only orders receive is seen"}},
	{args: "journey i-06b-python-aiokafka-handler-extracts.json", line: "20 80 4", waits: "24.9"},
	{args: "journey i-08a-python-pika-no-child.json", line: "20 80 3", waits: "24.7"},
	{args: "journey i-09a-spring-boot-micrometer-no-child.json", line: "20 80 3", waits: "22"},
	{args: "journey i-10a-python-celery.json", line: "20 80 4", waits: "24"},
	{args: "journey i-11b-node-kafkajs-eachBatch.json", line: "20 80 5 unreached 2", waits: "22 18"},
	{args: "journey i-13b-node-sqs-receive-in-worker-span.json", line: "20 30 3", waits: "2", says: []string{"2 spans are in the loop worker loop of billing that nothing ties to what was received beside it"}},
	{args: "journey i-15-dotnet-masstransit.json", line: "20 80 5", waits: "22"},
	{args: "lint i-01-java-agent-default.json", never: noHopRules},
	{args: "lint i-02-java-agent-receive-telemetry.json", never: noHopRules},
	{args: "lint i-04-spring-kafka-batch-old.json", never: noHopRules},
	{args: "lint i-05-python-confluent-kafka.json", never: noHopRules},
	{args: "lint i-06a-python-aiokafka-getone.json", never: noHopRules},
	{args: "lint i-06b-python-aiokafka-handler-extracts.json", never: noHopRules},
	{args: "lint i-08a-python-pika-no-child.json", never: noHopRules},
	{args: "lint i-09a-spring-boot-micrometer-no-child.json", never: noHopRules},
	{args: "lint i-10a-python-celery.json", never: noHopRules},
	{args: "lint i-11b-node-kafkajs-eachBatch.json", never: noHopRules},
	{args: "lint i-13b-node-sqs-receive-in-worker-span.json", never: noHopRules},
	{args: "lint i-15-dotnet-masstransit.json", never: noHopRules},
	{args: "lint i-17-custom-no-kinds.json", says: []string{"handle order of billing is of kind INTERNAL, and its parent kafka.send of web of kind INTERNAL"}},

	{args: "journey j-18-worker-loop-parent-link.json --root POST", line: "20 80 3", waits: "22", path: "POST /orders[0,5] send orders[5,8] ~message[8,30] process orders[30,80]", never: []string{"batch"}},
	{args: "journey j-20-retry-same-group.json", line: "20 180 4", waits: "22 132",
		path: "POST /orders[0,5] send orders[5,8] ~message[8,30] process orders[30,40] ~retry[40,140] process orders[140,180]"},
	{args: "journey j-22-request-reply.json", line: "100 100 5", waits: "22 6", path: "R POST /orders[0,5] send orders[5,8] POST /orders[8,100]",
		says: []string{"a message of the journey came back to web, in process replies, while POST /orders was open"}},
	{args: "journey j-23-outbox-relay-link.json --root POST", line: "20 20 2",
		says: []string{"linked from relay outbox relay of trace", "messages of outbox relay of relay are tied to this journey by a link only"}},
	{args: "journey j-23-outbox-relay-link.json --root relay", line: "10 40 3", waits: "15",
		says: []string{"links to web POST /orders of trace", "the messages of this journey are tied to POST /orders of web by a link only"}},
	{args: "journey j-24-no-service-name.json", line: "20 80 3", waits: "22", says: []string{"(no service.name) process orders"}},
	{args: "journey j-micro-overrun.json", line: "0.3 1.2 2", says: []string{"tail 900 µs"}},
	{args: "compare spring-before.json spring-after-200ms-slower-consumer.json", says: []string{"completion 200 ms more", "caller wait ~ no difference"}},
}

func TestCaseCommands(t *testing.T) {
	for _, c := range testkit.Few(10, caseCommands) {
		t.Run(c.args, func(t *testing.T) {
			args := strings.Fields(c.args)
			for i, arg := range args {
				if strings.HasSuffix(arg, ".json") {
					args[i] = filepath.Join(caseFiles, arg)
				}
			}
			if c.line != "" {
				checkJourney(t, c, printed(t, args...))
			}
			var out, talk bytes.Buffer
			if status := run(t.Context(), args, nil, &out, &talk); status != exitDone && (args[0] != "lint" || status != exitNotSo) {
				t.Fatalf("exit status %d: %s", status, talk.String())
			}
			text := strings.Join(strings.Fields(out.String()), " ")
			for _, s := range c.says {
				if !strings.Contains(text, s) {
					t.Errorf("it does not say %q:\n%s", s, out.String())
				}
			}
			for _, s := range c.never {
				if strings.Contains(text, s) {
					t.Errorf("it says %q:\n%s", s, out.String())
				}
			}
		})
	}
}

// The same request, with the conversation's id on what was sent first and on what came back: the caller's wait is in the other service.
func TestCaseCommandReply(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(caseFiles, "j-22-request-reply.json"))
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for _, resource := range list(document["resourceSpans"]) {
		for _, scope := range list(resource["scopeSpans"]) {
			for _, s := range list(scope["spans"]) {
				if s["name"] == "send orders" || s["name"] == "process replies" {
					attributes, _ := s["attributes"].([]any)
					s["attributes"] = append(attributes, map[string]any{"key": "messaging.message.conversation_id", "value": map[string]any{"stringValue": "1"}})
				}
			}
		}
	}
	file := filepath.Join(t.TempDir(), "reply.json")
	if text, err = json.Marshal(document); err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := caseCommand{line: "100 100 5", waits: "22 6",
		path: "R POST /orders[0,5] send orders[5,8] ~message[8,30] process orders[30,75] send replies[75,79] ~message[79,85] process replies[85,90] POST /orders[90,100]"}
	checkJourney(t, c, printed(t, "journey", file))
	var out, talk bytes.Buffer
	if status := run(t.Context(), []string{"journey", file}, nil, &out, &talk); status != exitDone || !strings.Contains(out.String(), "reply") || strings.Contains(out.String(), "D16") {
		t.Errorf("exit status %d, no reply in, or a note that nobody knows of one:\n%s%s", status, out.String(), talk.String())
	}
}

// checkJourney compares a document of `journey --format json` with what a case tells.
func checkJourney(t *testing.T, c caseCommand, document map[string]any) {
	t.Helper()
	line := fmt.Sprintf("%s %s %v", millis(document["caller_wait_ns"]), millis(document["completion_ns"]), document["spans"])
	if n := document["unreached"]; n != 0.0 {
		line += fmt.Sprintf(" unreached %v", n)
	}
	if line != c.line {
		t.Errorf("caller wait, completion and spans are %s, want %s", line, c.line)
	}
	var waits []string
	for _, m := range list(document["messages"]) {
		waits = append(waits, millis(m["wait_ns"]))
	}
	if got := strings.Join(waits, " "); got != c.waits {
		t.Errorf("queue waits are %q, want %q", got, c.waits)
	}
	path, response := strings.CutPrefix(c.path, "R ")
	key := "completion_path"
	if response {
		key = "response_path"
	}
	var segments []string
	for _, g := range list(document[key]) {
		what := fmt.Sprint(g["name"])
		if g["kind"] == "wait" {
			what = fmt.Sprint("~", g["class"])
		}
		segments = append(segments, fmt.Sprintf("%s[%s,%s]", what, millis(g["start_ns"]), millis(g["end_ns"])))
	}
	if got := strings.Join(segments, " "); path != "" && got != path {
		t.Errorf("the %s is\n%s, want\n%s", key, got, path)
	}
}

// list reads a list of objects.
func list(value any) []map[string]any {
	var all []map[string]any
	values, _ := value.([]any)
	for _, v := range values {
		object, _ := v.(map[string]any)
		all = append(all, object)
	}
	return all
}

// millis writes nanoseconds as milliseconds.
func millis(ns any) string {
	n, ok := ns.(float64)
	if !ok {
		return fmt.Sprint(ns)
	}
	return strconv.FormatFloat(n/1e6, 'f', -1, 64)
}

// What is no trace, or another tool's, is refused by its name.
func TestCasesRefused(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(otherFiles, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files of other tools", err)
	}
	names := map[string]string{
		"datadog-api": "Datadog", "datadog-intake": "Datadog", "datadog-v04": "Datadog", "elastic-apm": "Elastic", "gcp-v1": "Google Cloud Trace",
		"go-stdouttrace": "stdouttrace", "honeycomb-download": "Honeycomb", "py-console": "Python SDK's console exporter", "signoz": "SigNoz",
		"tempo-search": "search in Tempo", "xray-batchget": "X-Ray", "xray-segment": "X-Ray", "d15-null": "null is no trace document",
	}
	for _, file := range append(files, filepath.Join(caseFiles, "d15-null.json")) {
		var out, talk bytes.Buffer
		if status := run(t.Context(), []string{"journey", file}, nil, &out, &talk); status != exitUnread {
			t.Errorf("%s: exit status %d, want %d", file, status, exitUnread)
		}
		name := names[strings.TrimSuffix(filepath.Base(file), ".json")]
		if text := talk.String(); name == "" || !strings.Contains(text, name) || strings.Contains(text, "damaged") || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: %q does not name %q", file, text, name)
		}
	}
}
