package source_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey"
	"tracelab/journey/source"
)

func TestZipkin(t *testing.T) {
	r := readTestdata(t, "zipkin.json")
	if len(r.Spans) != 5 || r.Damaged != 0 || len(r.Warnings) != 1 || r.Warnings[0].Rule != journey.RuleFormatLoss || !strings.Contains(r.Warnings[0].Text, "Zipkin") {
		t.Fatalf("%d spans, %d damaged, %v", len(r.Spans), r.Damaged, r.Warnings)
	}
	consumer, client, server := r.Spans[2], r.Spans[3], r.Spans[4]
	if consumer.Kind != journey.KindConsumer || consumer.Service != "billing" || consumer.Start != 1790000000030000000 || consumer.End != 1790000000080000000 ||
		consumer.Trace != (journey.TraceID{14: 0xa0, 15: 1}) || consumer.Parent != (journey.SpanID{6: 0xa0, 7: 2}) {
		t.Errorf("the consumer is %+v", consumer)
	}
	for key, want := range map[string]string{"messaging.system": "kafka", "messaging.destination.name": "orders", "kafka.topic": "orders"} {
		if v, ok := consumer.Attr(key); !ok || v.String() != want {
			t.Errorf("%s is %q, want %q", key, v, want)
		}
	}
	if client.ID != server.ID || client.Kind != journey.KindClient || server.Kind != journey.KindServer || server.Service != "prices" {
		t.Errorf("the halves are %+v and %+v", client, server)
	}
	if consumer.Resource != client.Resource || client.Resource == server.Resource {
		t.Error("spans of one service have one resource, those of two have two")
	}
}

// The layout of a list makes no difference: as Zipkin's api/v2 answers, with a list for each trace, or with a span on each line.
func TestZipkinLayouts(t *testing.T) {
	want := readTestdata(t, "zipkin.json")
	text, err := os.ReadFile("testdata/zipkin.json")
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "post /orders", "post_/orders")), " ")
	line = strings.ReplaceAll(line, "post_/orders", "post /orders")
	for why, in := range map[string]string{
		"one line":        line,
		"lists in a list": "[" + line + "]",
		"lines":           strings.TrimSpace(strings.NewReplacer("[", "", "]", "", "},\n", "}\n").Replace(string(text))),
		"many lines":      strings.ReplaceAll(line, ",", ",\n"),
	} {
		got, err := source.Read(strings.NewReader(in), "f")
		if err != nil || got.Damaged > 0 {
			t.Errorf("%s: %d damaged, %v", why, got.Damaged, err)
			continue
		}
		for i := range got.Spans {
			got.Spans[i].Source = want.Spans[i].Source
		}
		if d := cmp.Diff(want.Spans, got.Spans, sameValues); d != "" {
			t.Errorf("%s (-file +got):\n%s", why, d)
		}
	}
}

func TestZipkinFields(t *testing.T) {
	span := func(fields string) string { return `[{"traceId":"1","id":"2","timestamp":5,` + fields + `}]` }
	for _, c := range []struct {
		why, fields, want string
	}{
		{"within a service", `"name":"x"`, "INTERNAL x  0 [] "},
		{"an error", `"kind":"CLIENT","tags":{"error":"timeout"}`, `CLIENT   2 [error=timeout] timeout`},
		{"an error that is true", `"tags":{"error":"true"}`, "INTERNAL   2 [] "},
		{"an error that is empty", `"tags":{"error":""}`, "INTERNAL   2 [error=] "},
		{"no error", `"tags":{"error":"false"}`, "INTERNAL   0 [error=false] "},
		{"as OpenTelemetry writes it", `"tags":{"otel.status_code":"ERROR","error":"no","otel.library.name":"lib"}`, "INTERNAL  lib 2 [error=no] no"},
		{"fine, though tagged", `"tags":{"otel.status_code":"OK","error":"no"}`, "INTERNAL   1 [error=no] "},
		{"the other side", `"kind":"CLIENT","remoteEndpoint":{"serviceName":"db","ipv4":"10.0.0.1","port":5432}`, "CLIENT   0 [peer.service=db network.peer.address=10.0.0.1 network.peer.port=5432] "},
		{"RabbitMQ", `"kind":"PRODUCER","tags":{"rabbit.exchange":"orders"}`, "PRODUCER   0 [rabbit.exchange=orders messaging.system=rabbitmq messaging.destination.name=orders] "},
		{"a system that is there", `"kind":"PRODUCER","tags":{"kafka.topic":"a","messaging.system":"kafka"}`, "PRODUCER   0 [kafka.topic=a messaging.system=kafka] "},
		{"no message", `"kind":"CLIENT","tags":{"kafka.topic":"a"}`, "CLIENT   0 [kafka.topic=a] "},
		{"tags that are numbers", `"tags":{"a":1,"b":true,"c":null}`, "INTERNAL   0 [a=1 b=true c=] "},
	} {
		r, err := source.Read(strings.NewReader(span(c.fields)), "f")
		if err != nil || len(r.Spans) != 1 {
			t.Errorf("%s: %d spans, %v", c.why, len(r.Spans), err)
			continue
		}
		s := r.Spans[0]
		var tags []string
		for _, a := range s.Attributes {
			tags = append(tags, a.Key+"="+a.Value.String())
		}
		if got := fmt.Sprintf("%v %s %s %d %v %s", s.Kind, s.Name, s.Scope, s.Status, tags, s.StatusMessage); got != c.want {
			t.Errorf("%s: got %q, want %q", c.why, got, c.want)
		}
	}
}

// One bad span of a list costs no other.
func TestZipkinDamage(t *testing.T) {
	const good = `{"traceId":"1","id":"2","timestamp":5,"duration":1,"kind":"SERVER","localEndpoint":{"serviceName":"a"}}`
	for why, bad := range map[string]string{
		"an id of other letters": `{"traceId":"1","id":"zz","timestamp":5}`,
		"no time":                `{"traceId":"1","id":"3","kind":"CLIENT"}`,
		"a time that is a word":  `{"traceId":"1","id":"3","timestamp":"now"}`,
	} {
		r, err := source.Read(strings.NewReader("["+good+","+bad+","+good+"]"), "f")
		if err != nil || len(r.Spans) != 2 || r.Damaged != 1 {
			t.Errorf("%s: %d spans, %d damaged, %v, %v", why, len(r.Spans), r.Damaged, r.Warnings, err)
		}
	}
	n := sized(50_000, 4) // more than a window
	many := "[" + strings.Repeat(good+",", n) + good + "]"
	if r, err := source.Read(strings.NewReader(many), "f"); err != nil || len(r.Spans) != n+1 || r.Damaged > 0 {
		t.Errorf("a long list: %d spans, %d damaged, %v", len(r.Spans), r.Damaged, err)
	}
}
