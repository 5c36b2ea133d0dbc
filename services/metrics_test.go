package services

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/testkit"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// TestOrdersAreCountedAsTheAccountsSay: by form and status, with orders that are refused, fail, or come twice.
func TestOrdersAreCountedAsTheAccountsSay(t *testing.T) {
	testkit.Unraced(t, "TestNoRunNamesASeries")
	m := &meters{}
	inBubble(t, func(l *testLab) {
		harm := []faults.Fault{
			{Service: Gateway, Kind: "error", Value: "closed", Share: 0.2}, {Service: Orders, Kind: "error", Value: "full", Share: 0.2},
			{Service: Payment, Kind: "error", Value: "payment_declined", Share: 0.3}, {Service: Shipping, Kind: "error", Value: "lost", Share: 0.2},
		}
		const each = 30
		refused := map[Form]int{}
		for _, form := range allForms() {
			for number := range each {
				if a := l.place(Experiment{Run: "r", Form: form, Number: number, Faults: harm}, tea); a.id() == "" {
					refused[form]++
				}
			}
		}
		l.until("all orders are final", func() bool { return l.system.keeper.ledger.left() == 0 })
		time.Sleep(time.Second) // an end is counted after it is in the accounts
		want := map[Form]map[Status]int64{}
		for form, a := range l.system.keeper.ledger.sumsOf("r").Forms {
			want[form] = map[Status]int64{
				Accepted: int64(a.Accepted), Completed: int64(a.Completed), Failed: int64(a.Failed), Refused: int64(refused[form])}
			if a.Accepted+refused[form] != each || a.Completed == 0 || a.Failed == 0 || refused[form] == 0 {
				t.Errorf("%s: %+v and %d refused: the test does not see all it should", form, a, refused[form])
			}
		}
		if diff := cmp.Diff(want, ordersCounted(l, m)); diff != "" {
			t.Errorf("the metrics are not the accounts (-accounts +metrics):\n%s", diff)
		}
		ended := map[Form]map[Status]int64{}
		for _, s := range l.named(m, "tracelab.order.duration") {
			form := Form(s.attributes["tracelab.form"])
			if ended[form] == nil {
				ended[form] = map[Status]int64{}
			}
			ended[form][Status(s.attributes["tracelab.order.status"])] = s.value
		}
		for form := range want {
			delete(want[form], Accepted)
			delete(want[form], Refused)
		}
		if diff := cmp.Diff(want, ended); diff != "" {
			t.Errorf("the durations are not of the final orders (-accounts +metrics):\n%s", diff)
		}
	}, m.measured)
}

func ordersCounted(l *testLab, m *meters) map[Form]map[Status]int64 {
	counted := map[Form]map[Status]int64{}
	for _, s := range l.named(m, "tracelab.orders") {
		form := Form(s.attributes["tracelab.form"])
		if counted[form] == nil {
			counted[form] = map[Status]int64{}
		}
		counted[form][Status(s.attributes["tracelab.order.status"])] += s.value
	}
	return counted
}

// TestIdempotentRepeatsAreOneOrder: an answer that is given again is no order; a key that is reused for another is refused.
func TestIdempotentRepeatsAreOneOrder(t *testing.T) {
	m := &meters{}
	inBubble(t, func(l *testLab) {
		e := Experiment{Run: "r", Form: GRPC}
		for range 3 {
			l.place(e, tea, "Idempotency-Key", "k")
		}
		l.place(e, Placement{"customer": "bob", "sku": "tea-green", "quantity": 1}, "Idempotency-Key", "k")
		if got := ordersCounted(l, m)[GRPC]; got[Accepted] != 1 || got[Completed] != 1 || got[Refused] != 1 {
			t.Errorf("%v, want one order and one refusal", got)
		}
	}, m.measured)
}

// TestEveryDeliveryIsMeasured: as many deliveries as process spans, for every consumer and topic, under unprefixed names.
func TestEveryDeliveryIsMeasured(t *testing.T) {
	for name, kotel := range map[string]bool{"otelkgo": false, "kotel": true} {
		t.Run(name, func(t *testing.T) {
			m := &meters{}
			var want map[string]int64
			inBubble(t, func(l *testLab) {
				for _, form := range []Form{Kafka, Hybrid} {
					for number := range 5 {
						l.await(l.place(Experiment{Run: "r", Form: form, Number: number}, tea).id())
					}
				}
				l.must(l.stop(patience))
				want = map[string]int64{}
				for _, span := range l.ended() {
					topic, isProcess := strings.CutPrefix(span.Name(), "process ")
					if kotel {
						topic, isProcess = strings.CutSuffix(span.Name(), " process")
					}
					if isProcess {
						want[serviceOf(span)+" "+strings.TrimPrefix(topic, "RUN-")+" "+attributes(span)[KeyForm].AsString()]++
					}
				}
				got := map[string]int64{}
				for _, s := range l.named(m, "tracelab.message.delivery.duration") {
					if group := s.attributes["messaging.consumer.group.name"]; group != s.service {
						t.Errorf("group %s of the service %s", group, s.service)
					}
					got[s.service+" "+s.attributes["messaging.destination.name"]+" "+s.attributes["tracelab.form"]] = s.value
				}
				if diff := cmp.Diff(want, got); diff != "" || len(want) < 10 {
					t.Errorf("deliveries are not the process spans (-spans +deliveries):\n%s", diff)
				}
			}, m.measured, func(c *Config) { c.Prefix, c.Kotel = "RUN-", kotel })
		})
	}
}

// TestExemplarsLeadToTraces: points of histograms carry the trace of a sampled span.
func TestExemplarsLeadToTraces(t *testing.T) {
	m := &meters{}
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			l.await(l.place(Experiment{Run: "r", Form: form}, tea).id())
		}
		time.Sleep(time.Second) // what is recorded after an answer
		traces := map[trace.TraceID]bool{}
		for _, span := range l.ended() {
			traces[span.SpanContext().TraceID()] = true
		}
		for _, name := range []string{
			"http.server.request.duration", "rpc.server.call.duration", "messaging.process.duration", "tracelab.order.duration",
			"tracelab.message.delivery.duration",
		} {
			n := 0
			for _, s := range l.named(m, name) {
				for _, e := range s.exemplars {
					if n++; !traces[trace.TraceID(e.TraceID)] {
						t.Errorf("%s: exemplar of trace %x, which has no span", name, e.TraceID)
					}
				}
			}
			if n == 0 {
				t.Errorf("%s has no exemplar", name)
			}
		}
	}, m.measured)
}

// TestNoRunNamesASeries: with topics and groups of a run, no attribute has the run's prefix or an order's id in it, and
// more orders make no more series.
func TestNoRunNamesASeries(t *testing.T) {
	m := &meters{}
	inBubble(t, func(l *testLab) {
		kinds := func() map[string]bool {
			found := map[string]bool{}
			for _, s := range l.all(m) {
				delete(s.attributes, "messaging.destination.partition.id") // 8 of each topic; an order has one of them
				found[fmt.Sprint(s.service, s.name, s.attributes)] = true
			}
			return found
		}
		var ids []string
		declined := []faults.Fault{{Service: Payment, Kind: "error", Value: "payment_declined", Share: 1}}
		round := func(n int) {
			for number := range n {
				for _, form := range Forms() {
					for _, harm := range [][]faults.Fault{nil, declined} {
						ids = append(ids, l.place(Experiment{Run: "RUN-7", Form: form, Number: number, Faults: harm}, tea).id())
						l.await(ids[len(ids)-1])
					}
				}
			}
			time.Sleep(time.Second) // the last commit
		}
		round(1)
		first := kinds()
		round(testkit.Times(4, 20))
		if diff := cmp.Diff(first, kinds()); diff != "" {
			t.Errorf("series that more orders have made:\n%s", diff)
		}
		topics, paths := map[string]bool{}, map[string]bool{}
		for _, s := range l.all(m) {
			for key, value := range s.attributes {
				if strings.Contains(value, "RUN-") || slices.Contains(ids, value) {
					t.Errorf("%s of %s: %s=%s", s.name, s.service, key, value)
				}
			}
			if s.name == "http.client.request.duration" {
				paths[s.attributes["url.template"]] = true
			}
			if s.name == "otelkgo.consumer.lag" {
				topics[s.attributes["messaging.destination.template"]] = true
			}
		}
		if len(topics) != len(flows.Order().Topics()) {
			t.Errorf("lag is told of %v", topics)
		}
		if len(paths) != 7 || !paths["/charge"] || !paths["/release"] || paths[""] {
			t.Errorf("calls are told apart as %v, want one path for each of 6 steps and the one that takes the stock back", paths)
		}
	}, m.measured, func(c *Config) { c.Prefix = "RUN-" })
}
