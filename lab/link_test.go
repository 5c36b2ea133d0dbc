package lab_test

import (
	"bytes"
	"strings"
	"testing"

	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/lab/links"
	"tracelab/services"
	"tracelab/services/flows"
)

func linksOf(t *testing.T, texts ...string) []links.Link {
	t.Helper()
	list := make([]links.Link, len(texts))
	for i, text := range texts {
		var err error
		if list[i], err = lab.ParseLink(flows.Order(), text); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// reallyRun runs a lab on real sockets.
func reallyRun(t *testing.T, change func(*lab.Config)) *lab.Result {
	t.Helper()
	config := lab.Config{Seed: 1, Out: t.TempDir(), Version: "test"}
	change(&config)
	result, err := lab.Run(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestSlowLinks between any two: a call waits both ways, who sends a message waits for the broker, the client for the gateway. On real sockets:
// the proxies have no others.
func TestSlowLinks(t *testing.T) {
	result := reallyRun(t, func(c *lab.Config) {
		c.Orders, c.WarmUp, c.Forms = 4, 0, []services.Form{services.GRPC, services.Kafka}
		c.Links = linksOf(t, "client>gateway:latency=50ms", "orders>payment:latency=60ms", "payment>kafka:latency=70ms")
	})
	healthy(t, result)
	for form, least := range map[services.Form]float64{services.GRPC: 100 + 120, services.Kafka: 100} {
		if wait := result.Forms[form].CallerWait.Median; wait == nil || *wait < least {
			t.Errorf("%s: caller wait %v ms, want %g or more", form, wait, least)
		}
	}
	if completion := result.Forms[services.Kafka].Completion.Median; completion == nil || *completion < 100+140 {
		t.Errorf("kafka: completion %v ms, want 240 or more", completion)
	}
	for _, l := range result.LinksUsed {
		if l.Connections == 0 || l.Bytes == 0 {
			t.Errorf("%+v", l)
		}
	}
	var text bytes.Buffer
	if err := result.WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"links client>gateway:latency=50ms orders>payment:latency=60ms payment>kafka:latency=70ms", "link orders>payment:latency=60ms: "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

// TestCutLink: calls over it fail for its time, which the report says; over a link that no form uses nothing can be shown.
// Ten orders are due in that time: a machine that is busy may let a call wait for some of it.
func TestCutLink(t *testing.T) {
	result := reallyRun(t, func(c *lab.Config) {
		c.Orders, c.WarmUp, c.Rate, c.Forms = 20, 0, 10, []services.Form{services.GRPC}
		c.Links = linksOf(t, "orders>payment:reset,from=500ms,to=1500ms", "shipping>payment:cut")
	})
	a := result.Forms[services.GRPC].Orders
	if a.Errors+a.Unanswered == 0 || a.Answered == 0 || a.Placed != a.Accepted+a.Refused+a.Unknown || a.Accepted != a.Completed+a.Failed+a.Pending {
		t.Errorf("%+v", a)
	}
	if problems := strings.Join(result.Problems, "\n"); problems != "link shipping>payment:cut disturbed nothing: nothing went from one to the other in these forms" {
		t.Errorf("problems: %s", problems)
	}
	if f := result.Felt; len(f) != 2 || f[0].What != "link orders>payment:reset" || f[0].FromMS != 500 || *f[0].ToMS != 1500 || f[1].ToMS != nil ||
		f[0].Forms[services.GRPC].Failed == 0 || f[1].Forms[services.GRPC].UnderWay.Orders != 20 {
		t.Errorf("felt: %+v", f)
	}
	if explained := strings.Join(result.Explained, "\n"); !strings.Contains(explained, "link orders>payment:reset,from=500ms,to=1.5s") {
		t.Errorf("explained: %s", explained)
	}
}

// TestLinksThatCannotBe are refused before anything starts.
func TestLinksThatCannotBe(t *testing.T) {
	for want, change := range map[string]func(*lab.Config){
		"services at --target connect to each other elsewhere": func(c *lab.Config) {
			c.Links, c.Target, c.ReceiveOTLP = linksOf(t, "orders>payment:cut"), "http://127.0.0.1:1", "127.0.0.1:0"
		},
		"this run has no RabbitMQ": func(c *lab.Config) { c.Links = linksOf(t, "orders>rabbitmq:cut") },
		"33 links: use at most 32": func(c *lab.Config) { c.Links = make([]links.Link, 33) },
	} {
		config := lab.Config{Out: t.TempDir()}
		change(&config)
		if _, err := lab.Run(t.Context(), config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
