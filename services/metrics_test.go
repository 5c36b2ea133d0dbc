package services

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/orderpb"
)

// TestOrdersAreCountedAsTheAccountsSay: by form and status, with orders that are refused, fail, or come twice.
func TestOrdersAreCountedAsTheAccountsSay(t *testing.T) {
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
		round(20)
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

// TestHostileRequestsMakeNoSeries sends 10,000 requests with as many paths, hosts and methods, five times the series that the SDK
// keeps of one instrument, and 1,000 to the one path that is measured, as a hostile client would.
func TestHostileRequestsMakeNoSeries(t *testing.T) {
	m := &meters{}
	onLoopback(t, func(l *testLab) {
		address := l.system.Address(Gateway)
		methods := []string{"GET", "POST", "PUT", "HEAD", "BREW", "X%d"}
		hostile(t, address, 10_000, func(i int) string {
			method := methods[i%len(methods)]
			if strings.Contains(method, "%d") {
				method = fmt.Sprintf(method, i)
			}
			return fmt.Sprintf("%s /p/%d?q=%d HTTP/1.1\r\nHost: h%d.example:%d\r\nUser-Agent: a%d\r\nContent-Length: 0\r\n\r\n", method, i, i, i, i%60000+1, i)
		})
		if got := l.named(m, "http.server.request.duration"); len(got) != 0 {
			t.Errorf("paths that there are not have made %d series", len(got))
		}
		hostile(t, address, 1_000, func(i int) string {
			return fmt.Sprintf("POST /orders?q=%d HTTP/1.1\r\nHost: h%d.example:%d\r\nBaggage: tracelab.form=f%d\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", i, i, i+1, i)
		})
		for _, name := range []string{"http.server.request.duration", "http.server.request.body.size", "http.server.response.body.size"} {
			var got []series
			l.until("1000 requests are in "+name, func() bool { // recorded after the answer
				got = l.named(m, name)
				return len(got) > 0 && got[0].value >= 1_000
			})
			if len(got) != 1 || got[0].value != 1_000 {
				t.Errorf("%s: %d series, want one of 1000 requests: %v", name, len(got), got)
				continue
			}
			delete(got[0].attributes, "error.type")
			want := []string{"http.request.method=POST", "http.response.status_code=400", "http.route=/orders", "network.protocol.version=1.1"}
			var have []string
			for k, v := range got[0].attributes {
				have = append(have, string(k)+"="+v)
			}
			if slices.Sort(have); !slices.Equal(have, want) {
				t.Errorf("%s: attributes %v, want %v", name, have, want)
			}
		}
		var refused int64
		for _, s := range l.named(m, "tracelab.orders") {
			if s.attributes["tracelab.form"] == string(otherForm) {
				refused += s.value
			}
		}
		if n := len(l.named(m, "tracelab.orders")); refused != 1_000 || n != 4*len(allForms())+len(allForms())+1 { // orders, gateway, the form that there is not
			t.Errorf("%d orders of a form that there is not are refused, in %d series", refused, n)
		}
		before := len(l.spans.Started())
		hostileCalls(l, 2_000)
		if got, spans := l.named(m, "rpc.server.call.duration"), len(l.spans.Started())-before; len(got) != 0 || spans != 0 {
			t.Errorf("methods that there are not have made %d series and started %d spans", len(got), spans)
		}
		l.place(Experiment{Run: "r", Form: GRPC}, tea)
		l.until("one order makes a series for each of 6 methods", func() bool { return len(l.named(m, "rpc.server.call.duration")) >= 6 })
		l.must(l.stop(patience)) // what the servers record after their answers is recorded then
		if got := l.named(m, "rpc.server.call.duration"); len(got) != 6 {
			t.Errorf("one order makes %d series, want one for each of 6 methods", len(got))
		}
	}, m.measured)
}

// hostile sends requests over one connection, without waiting for the answers, and reads an answer to each.
func hostile(t *testing.T, address string, n int, request func(int) string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	sent := make(chan error, 1)
	go func() {
		w := bufio.NewWriterSize(conn, 64<<10)
		var err error
		for i := range n {
			_, e := io.WriteString(w, request(i))
			err = errors.Join(err, e)
		}
		sent <- errors.Join(err, w.Flush())
	}()
	r := bufio.NewReaderSize(conn, 64<<10)
	for i := range n {
		asked := &http.Request{Method: strings.SplitN(request(i), " ", 2)[0]}
		resp, err := http.ReadResponse(r, asked)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode < 400 {
			t.Fatalf("request %d: %v, %d", i, err, resp.StatusCode)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

// hostileCalls calls methods that there are not.
func hostileCalls(l *testLab, n int) {
	l.Helper()
	conn, err := grpc.NewClient(l.system.GRPCAddress(Payment), grpc.WithTransportCredentials(insecure.NewCredentials()))
	l.must(err)
	defer func() { l.must(conn.Close()) }()
	for i := range n {
		method := fmt.Sprintf("/tracelab.order.v1.Payment/M%d", i)
		if i%2 == 0 {
			method = fmt.Sprintf("/s%d/Charge", i)
		}
		err := conn.Invoke(context.Background(), method, &orderpb.Order{}, &orderpb.Receipt{})
		if status.Code(err) != codes.Unimplemented {
			l.Fatalf("%s: %v", method, err)
		}
	}
}
