package page

import (
	"context"
	"maps"
	"regexp"
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
	"tracelab/services/faults"
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
// the broker; also where the trace context broke on the way, and nothing in the journey leads to what came behind.
func TestShownHeadersAreThoseOnTheWire(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	w, network := &wiretap.Tap{}, services.TCP()
	network.Dial = w.Before(network.Dial)
	forms := []services.Form{services.REST, services.GRPC, services.Kafka}
	l, err := lab.Open(t.Context(), lab.Config{Seed: 1, Forms: forms, Kafka: cluster.ListenAddrs(), Network: network, Deadline: time.Second}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	b := serve(t, l)
	before := hops{}
	compare := func(form services.Form, number, records int) {
		t.Helper()
		onWire := calls(w, form)
		if form == services.Kafka {
			onWire.records(t, cluster.ListenAddrs(), form, records)
		}
		maps.DeleteFunc(onWire, func(traceparent, _ string) bool { _, known := before[traceparent]; return known })
		onPage := shown(t, b.get(journeyPath(lab.UnitKey{Form: form, Number: number})+"?tab=headers&with=none"))
		if diff := cmp.Diff(onWire, onPage); diff != "" || len(onPage) < 7 {
			t.Errorf("%s (-wire +page), %d hops: %s\n%v", form, len(onPage), diff, slices.Collect(maps.Keys(onPage)))
		}
		maps.Copy(before, onWire)
	}
	number := placed(t, l, forms...)
	for _, form := range forms {
		compare(form, number, 6)
	}
	if err := l.SetConditions(lab.Conditions{Faults: []faults.Fault{{Service: "inventory", Kind: faults.DropContext, Share: 1}}}); err != nil {
		t.Fatal(err)
	}
	number = placed(t, l, services.Kafka)
	compare(services.Kafka, number, 12)
	path := journeyPath(lab.UnitKey{Form: services.Kafka, Number: number})
	if text := b.get(path); !strings.Contains(text, "Behind a broken context") || strings.Count(text, `<svg class="timeline"`) < 2 || !strings.Contains(text, "Spans are missing, so") || strings.Contains(text, "<strong>done</strong>") {
		t.Errorf("what came behind the break is not drawn, or the rest is taken for all of it:\n%s", text)
	}
	found := regexp.MustCompile(`<a href="(\?[^"]*span=[0-9a-f]{16})">process`).FindStringSubmatch(b.get(path + "?tab=findings"))
	if found == nil {
		t.Fatal("lint finds no message that lost its context")
	}
	if text := b.get(path + strings.ReplaceAll(found[1], "&amp;", "&")); !strings.Contains(text, `id="span-title"`) {
		t.Errorf("%s, which a finding leads to, shows no span", found[1])
	}
}
