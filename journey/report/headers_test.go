package report_test

import (
	"bytes"
	"strings"
	"testing"

	"tracelab/journey/format"
	"tracelab/journey/report"
)

// The hops of one order, as the drawings below have them: a client calls a gateway, the gateway sends a message to orders. The ids are
// the numbers of the lines.
const hops = `client.post CLIENT 0-50 http.request.header.traceparent=["00-T-0000000000000001-01"] http.request.header.baggage=["a=1,b=2"]
  gateway.post SERVER 5-45 http.request.header.traceparent=["00-T-0000000000000001-01"] http.request.header.baggage=["a=1,b=2"] tracelab.headers.other=["user-agent"]
    gateway.send PRODUCER 10-20 op=send topic=t messaging.header.traceparent=["00-T-0000000000000003-01"] messaging.header.baggage=["b=3,c=4"]
      orders.process CONSUMER 30-40 op=process topic=t messaging.header.traceparent=["00-T-0000000000000003-01"] messaging.header.baggage=["b=3,c=4"]
`

func TestHeaders(t *testing.T) {
	const trace = "00000000000000000000000000000001"
	for _, c := range []struct {
		name      string
		old, new  string // a change of the drawing
		want      []string
		wantNever string
	}{
		{"what travels", "", "", []string{
			"client client.post → gateway gateway.post, call",
			"gateway gateway.send → orders orders.process, message",
			"traceparent 00-" + trace + "-0000000000000001-01 the span id is of client client.post: the next parent",
			"traceparent ~ 00-" + trace + "-0000000000000003-01 the span id is of gateway gateway.send: the next parent",
			"baggage ~ b=3 was b=2", "+ c=4 joined here", "- a=1 left behind here", "user-agent its value is not kept",
		}, "!"},
		{"lost on the way", `30-40 op=process topic=t messaging.header.traceparent=["00-T-0000000000000003-01"]`, `30-40 op=process topic=t`,
			[]string{"! traceparent was lost on the way: the receiver read none"}, "baggage was lost"},
		{"changed on the way", `30-40 op=process topic=t messaging.header.traceparent=["00-T-0000000000000003-01"]`, `30-40 op=process topic=t messaging.header.traceparent=["00-T-00000000000000ff-01"]`,
			[]string{"! traceparent was changed on the way: 00-" + trace + "-0000000000000003-01 was written", "a span id that is not the sender's"}, ""},
		{"doubled", `40 op=process topic=t messaging.header.traceparent=["00-T-0000000000000003-01"]`, `40 op=process topic=t messaging.header.traceparent=["00-T-00000000000000ff-01","00-T-0000000000000003-01"]`,
			[]string{"! traceparent came 2 times"}, ""},
		{"nobody reads", "      orders.process CONSUMER 30-40 op=process topic=t messaging.header.traceparent=[\"00-T-0000000000000003-01\"] messaging.header.baggage=[\"b=3,c=4\"]\n", "",
			[]string{"gateway gateway.send, the other side is not seen"}, "orders"},
		{"other flags", `00-T-0000000000000003-01`, `00-T-0000000000000003-00`, []string{"the next parent; other flags"}, ""},
		{"no context", `http.request.header.traceparent=["00-T-0000000000000001-01"] `, "", []string{"! no traceparent was written: the context was lost before this hop"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			drawing := hops
			if c.old != "" {
				drawing = strings.ReplaceAll(hops, c.old, c.new)
			}
			if drawing == hops && c.old != "" {
				t.Fatalf("%q is not in the drawing", c.old)
			}
			j := journeys(t, strings.ReplaceAll(drawing, "00-T-", "00-"+trace+"-"))[0]
			var text, page, document bytes.Buffer
			r := report.Journey{Of: j, Headers: true}
			for _, err := range []error{r.WriteText(&text, format.Style{}), r.WriteHTML(&page), r.WriteJSON(&document)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			_, section, _ := strings.Cut(text.String(), "What crossed each hop")
			section, _, _ = strings.Cut(section, "Response path")
			section = strings.Join(strings.Fields(section), " ")
			for _, want := range c.want {
				if !strings.Contains(section, want) {
					t.Errorf("no %q in\n%s", want, section)
				}
			}
			if c.wantNever != "" && strings.Contains(section, c.wantNever) {
				t.Errorf("%q in\n%s", c.wantNever, section)
			}
			if !strings.Contains(page.String(), "What crossed each hop") || !strings.Contains(document.String(), `"hops"`) {
				t.Error("the page or the document has no hops")
			}
		})
	}
}

// TestHeadersOfNobody: a journey without any, and one that was not asked for them.
func TestHeadersOfNobody(t *testing.T) {
	j := journeys(t, "client.post CLIENT 0-50\n  gateway.post SERVER 5-45\n")[0]
	var asked, unasked bytes.Buffer
	for w, r := range map[*bytes.Buffer]report.Journey{&asked: {Of: j, Headers: true}, &unasked: {Of: j}} {
		if err := r.WriteText(w, format.Style{Width: 80}); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(asked.String()) {
		if len(line) > 81 && strings.Contains(line, "headers") {
			t.Errorf("wider than 80 columns: %s", line)
		}
	}
	if !strings.Contains(asked.String(), "no span has kept headers") || strings.Contains(unasked.String(), "headers") {
		t.Errorf("asked:\n%s\nunasked:\n%s", asked.String(), unasked.String())
	}
}
