package page

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/net/html"

	"tracelab/internal/broker/brokertest"
	"tracelab/internal/testkit/wiretap"
	"tracelab/lab"
	"tracelab/services"
)

// hops are the headers that crossed the hops of one unit: the baggage by the traceparent.
type hops map[string]string

// add notes the headers of one hop of a unit; others are of no interest.
func (h hops) add(form services.Form, traceparent, baggage string) {
	if traceparent != "" && strings.Contains(baggage, "tracelab.form="+string(form)) {
		h[traceparent] = baggage
	}
}

// calls are the hops by HTTP and gRPC that lay on the wire.
func calls(tap *wiretap.Tap, form services.Form) hops {
	found := hops{}
	for _, sent := range tap.Sent(nil) {
		read := wiretap.HTTP
		if wiretap.IsHTTP2(sent) {
			read = wiretap.GRPC
		}
		list, _ := read(sent) // the last one may not be whole, and Kafka's are none
		for _, header := range list {
			found.add(form, header.Get("Traceparent"), header.Get("Baggage"))
		}
	}
	return found
}

// records adds the headers of n records of all topics, read by a consumer that knows nothing of traces.
func (h hops) records(t *testing.T, brokers []string, form services.Form, n int) {
	t.Helper()
	for _, r := range brokertest.Records(t, n, time.Minute, kgo.SeedBrokers(brokers...), kgo.ConsumeRegex(), kgo.ConsumeTopics(".*")) {
		values := map[string]string{}
		for _, header := range r.Headers {
			values[header.Key] = string(header.Value)
		}
		h.add(form, values["traceparent"], values["baggage"])
	}
}

// shown are the hops that a journey's page shows.
func shown(t *testing.T, page string) hops {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	found := hops{}
	for n := range root.Descendants() {
		if n.Data != "dl" || !slices.Contains(n.Attr, html.Attribute{Key: "class", Val: "headers"}) {
			continue
		}
		values, name := map[string][]string{}, ""
		for d := range n.Descendants() {
			switch {
			case d.Data == "dt" && words(d) != "":
				name = words(d)
			case d.Data == "code" && !slices.Contains(d.Attr, html.Attribute{Key: "class", Val: "hex"}):
				values[name] = append(values[name], words(d))
			}
		}
		if traceparent := strings.Join(values["traceparent"], ","); traceparent != "" {
			found[traceparent] = strings.Join(values["baggage"], ",")
		}
	}
	return found
}

// words is the text below a node.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// TestShownHeadersAreThoseOnTheWire compares the page with what lay on the connections between client, gateway and services, and with the records at
// the broker.
func TestShownHeadersAreThoseOnTheWire(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	w, network := &wiretap.Tap{}, services.TCP()
	network.Dial = w.Before(network.Dial)
	forms := []services.Form{services.REST, services.GRPC, services.Kafka}
	l, err := lab.Open(t.Context(), lab.Config{Seed: 1, Forms: forms, Kafka: cluster.ListenAddrs(), Network: network}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	b := serve(t, l)
	number := placed(t, l, forms...)
	for _, form := range forms {
		onWire := calls(w, form)
		if form == services.Kafka {
			onWire.records(t, cluster.ListenAddrs(), form, 6)
		}
		onPage := shown(t, b.get(journeyPath(lab.UnitKey{Form: form, Number: number})+"?tab=headers&with=none"))
		if diff := cmp.Diff(onWire, onPage); diff != "" || len(onPage) < 7 {
			t.Errorf("%s (-wire +page), %d hops: %s\n%v", form, len(onPage), diff, slices.Collect(maps.Keys(onPage)))
		}
	}
}
