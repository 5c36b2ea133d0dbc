package rabbitmq

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/otelamqp"
	"tracelab/tracecontext"
)

// tableOf has headers as a message has them: what comes twice is a list.
func tableOf(headers [][2]string) amqp.Table {
	table := amqp.Table{}
	for _, kv := range headers {
		list, _ := table[strings.ToLower(kv[0])].([]any)
		table[strings.ToLower(kv[0])] = append(list, kv[1])
	}
	return table
}

// TestW3COverAMQPHeaders passes every case of the propagator's table through a broker, and on from there.
func TestW3COverAMQPHeaders(t *testing.T) {
	text, err := os.ReadFile("../../../../tracecontext/testdata/tracecontext.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Rule, Traceparent, Tracestate, Refused string
		Headers                                      [][2]string
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 100 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	inBubble(t, func(b *bubble) {
		ch, done := b.channel()
		defer done()
		queue, err := ch.QueueDeclare("w3c", false, false, false, false, nil)
		b.Must(err)
		for _, c := range cases {
			b.Must(ch.Publish("", queue.Name, false, false, amqp.Publishing{Headers: tableOf(c.Headers)}))
			d, ok, err := ch.Get(queue.Name, true)
			b.Must(err)
			if !ok {
				t.Fatalf("%s: the message is not there", c.Name)
			}
			p, out := tracecontext.New(), otelamqp.TableCarrier{Table: amqp.Table{}}
			p.Inject(p.Extract(b.Context(), otelamqp.TableCarrier{Table: d.Headers}), out)
			if out.Get("traceparent") != c.Traceparent || out.Get("tracestate") != c.Tracestate {
				t.Errorf("%s: %q and %q, want %q and %q: %s", c.Name, out.Get("traceparent"), out.Get("tracestate"), c.Traceparent, c.Tracestate, c.Rule)
			}
			if n := p.Refusals().Counts(); c.Refused != "" && n[c.Refused] != 1 || c.Refused == "" && len(n) != 0 {
				t.Errorf("%s: refused %v, want %q", c.Name, n, c.Refused)
			}
		}
	})
}
