package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/testkit/wiretap"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// crossed are the headers of a hop that carry context.
type crossed struct{ traceparent, baggage string }

func sorted(list []crossed) []crossed {
	slices.SortFunc(list, func(a, b crossed) int { return strings.Compare(a.traceparent+a.baggage, b.traceparent+b.baggage) })
	return list
}

// calls are those over HTTP and gRPC that name a trace.
func calls(tap *wiretap.Tap) (list []crossed) {
	for _, sent := range tap.Sent(nil) {
		read := wiretap.HTTP
		if wiretap.IsHTTP2(sent) {
			read = wiretap.GRPC
		}
		headers, _ := read(sent) // the last one may not be whole, and Kafka's are none
		for _, h := range headers {
			if parents := h.Values("traceparent"); len(parents) > 0 {
				list = append(list, crossed{strings.Join(parents, ","), h.Get("baggage")})
			}
		}
	}
	return sorted(list)
}

// recordsOf reads all records of a Kafka, by their headers.
func recordsOf(t *testing.T, broker *lab.Broker) (list []crossed) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addresses()...), kgo.ConsumeRegex(), kgo.ConsumeTopics(`^tracelab\.`), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		fetches := client.PollFetches(ctx)
		cancel()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && fetches.NumRecords() == 0 {
			return sorted(list)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			var c crossed
			for _, h := range r.Headers {
				switch h.Key {
				case "traceparent": // a record may have it twice
					c.traceparent = strings.TrimPrefix(c.traceparent+","+string(h.Value), ",")
				case "baggage":
					c.baggage = string(h.Value)
				}
			}
			list = append(list, c)
		})
	}
}

// printedHops are the hops of a report that went by one of several carriers, by what their senders wrote; several receivers of one message count once.
func printedHops(r hopsReport, by ...string) (list []crossed) {
	for _, hop := range r.Hops {
		c := crossed{strings.Join(hop.Wrote["traceparent"], ","), strings.Join(hop.Wrote["baggage"], ",")}
		if slices.Contains(by, hop.By) && !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return sorted(list)
}

// TestHopsAreWhatWentOverTheWire: the headers that hops prints are those of the requests and records that there were, and of all of them; also where a
// fault names a second parent, which does not exist.
func TestHopsAreWhatWentOverTheWire(t *testing.T) {
	for form, by := range map[services.Form][]string{services.REST: {"http", "grpc"}, services.GRPC: {"http", "grpc"}, services.Kafka: {"kafka"}} {
		for fault, doubled := range map[string]int{"": 0, "orders:double-traceparent": 5} {
			if fault != "" && form == services.Kafka {
				doubled = 1
			}
			t.Run(strings.TrimSuffix(string(form)+" "+fault, " "), func(t *testing.T) { hopsOverTheWire(t, form, fault, doubled, by) })
		}
	}
}

func hopsOverTheWire(t *testing.T, form services.Form, fault string, doubled int, by []string) {
	t.Parallel() // it waits for spans that do not come
	broker, err := lab.StartBroker(services.TCP())
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	w, network := &wiretap.Tap{}, services.TCP()
	network.Dial = w.Before(network.Dial)
	config := lab.Config{Seed: 1, Forms: []services.Form{form}, Kafka: broker.Addresses(), Network: network, Version: "test", Flow: flows.Order(), Deadline: hopsDeadline}
	c := &hopsCommand{Form: string(form), Flow: "order", Format: "json"}
	if fault != "" {
		c.Fault = []string{fault}
	}
	if err := parseConditions(&config, c.Fault, nil, "both"); err != nil {
		t.Fatal(err)
	}
	opened, err := lab.Open(t.Context(), config, 1)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := c.follow(t.Context(), &streams{out: &text, err: io.Discard}, opened, form); err != nil {
		t.Fatal(err)
	}
	var r hopsReport
	if err := json.Unmarshal(text.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	seen := calls(w)
	if form == services.Kafka {
		seen = recordsOf(t, broker)
	}
	if err := opened.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(seen, printedHops(r, by...), cmp.AllowUnexported(crossed{})); diff != "" || len(seen) < 4 {
		t.Errorf("on the wire and not printed (-), printed and not on the wire (+):\n%s", diff)
	}
	two := 0
	for _, hop := range r.Hops {
		// gRPC's receiver has two values in one: it shows a propagator both, as HTTP joins them.
		if hop.To == nil || !cmp.Equal(hop.Wrote["baggage"], hop.Read["baggage"]) || strings.Join(hop.Wrote["traceparent"], ",") != strings.Join(hop.Read["traceparent"], ",") {
			t.Errorf("not read as it was written: %+v", hop)
		}
		if len(hop.Wrote["traceparent"]) == 2 {
			two++
		}
	}
	if two != doubled {
		t.Errorf("%d hops with two parents, want %d", two, doubled)
	}
	if r.State != lab.StateCompleted || r.CallerWait == nil || (r.Incomplete == "") != (fault == "") {
		t.Errorf("%+v", r)
	}
}

// TestHopsFitAScreen: the text is at most 80 columns wide, has every hop with its marks, and in a locale without UTF-8 is ASCII.
func TestHopsFitAScreen(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	text := output(t, "hops", "--form", "hybrid")
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > hopsWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"client -> gateway, at 0 s", "by HTTP POST /orders", "by gRPC tracelab.order.v1.Orders/Accept", "by Kafka stock.reserved, partition ", "+ tracelab.order.id=", "traceparent   ~ 00-",
		"read as it was written", "completed, caller wait ", "Next:"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestHopsGoOnBehindAFault: where a fault takes the context away, its name is said, and the chain goes on in the trace that the receiver began.
func TestHopsGoOnBehindAFault(t *testing.T) {
	t.Parallel() // it waits for spans that do not come
	var r hopsReport
	if err := json.Unmarshal([]byte(output(t, "hops", "--form", "kafka", "--fault", "inventory:drop-context", "--format", "json")), &r); err != nil {
		t.Fatal(err)
	}
	var ways []string
	for _, hop := range r.Hops {
		if hop.To == nil {
			t.Errorf("nobody received %+v", hop)
			continue
		}
		ways = append(ways, hop.From.Service+" "+hop.To.Service)
	}
	want := []string{"client gateway", "gateway orders", "orders inventory", "inventory payment", "payment analytics", "payment notification", "payment shipping", "analytics orders", "notification orders", "shipping orders"}
	slices.Sort(ways)
	if slices.Sort(want); !slices.Equal(ways, want) {
		t.Fatalf("%q, want %q", ways, want)
	}
	broken := r.Hops[slices.IndexFunc(r.Hops, func(h hopLine) bool { return h.From.Service == "inventory" })]
	if note := "the fault inventory:drop-context took the trace context away: it goes on in trace " + broken.To.TraceID; !slices.Equal(broken.Notes, []string{note}) || len(r.Traces) != 2 || r.Traces[1] != broken.To.TraceID {
		t.Errorf("notes %q, traces %q", broken.Notes, r.Traces)
	}
}

// TestWhatBrokeAHop: a fault is named where what was written shows it.
func TestWhatBrokeAHop(t *testing.T) {
	whole := map[string][]string{"traceparent": {"00-aa-bb-01"}, "baggage": {"a=1"}}
	for kind, wrote := range map[string]map[string][]string{
		"drop-context": {"baggage": {"a=1"}}, "drop-baggage": {"traceparent": {"00-aa-bb-01"}}, "unsample": {"traceparent": {"00-aa-bb-00"}, "baggage": {"a=1"}},
		"double-traceparent": {"traceparent": {"00-aa-bb-01", "00-aa-cc-01"}, "baggage": {"a=1"}},
	} {
		f := faults.Fault{Service: "orders", Kind: kind, Share: 1}
		if note := whatBroke(f, hopLine{From: hopEnd{Service: "orders"}, Wrote: wrote}); !strings.HasPrefix(note, "the fault orders:"+kind+" ") {
			t.Errorf("%s: %q", kind, note)
		}
		for service, wrote := range map[string]map[string][]string{"orders": whole, "payment": wrote} {
			if note := whatBroke(f, hopLine{From: hopEnd{Service: service}, Wrote: wrote}); note != "" {
				t.Errorf("%s of %s: %q", kind, service, note)
			}
		}
	}
}
