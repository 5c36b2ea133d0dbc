package dashboards

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// matcher is a condition on a label whose values are names of a flow.
var matcher = regexp.MustCompile(`(service_name|tracelab_step|tracelab_form|tracelab_flow|messaging_destination_name|messaging_consumer_group_name)\s*(=~|!~|!=|=)\s*"([^"]*)"`)

// everyFlow lists the services that every flow has: the client and the gateway.
var everyFlow = []string{"client", "gateway"}

// deadLetters are what the names of dead letters end or begin with, whatever their topic: at Kafka and at RabbitMQ.
var deadLetters = []string{".+[.]dlq", "tracelab[.]dead:.+", ".+(:.+)?"}

// namesOfFlow lists what an expression names that only some flows have.
func namesOfFlow(expr string) []string {
	var names []string
	for _, m := range matcher.FindAllStringSubmatch(expr, -1) {
		for word := range strings.SplitSeq(strings.Trim(m[3], "()"), "|") {
			if word != "" && !slices.Contains(deadLetters, word) && word != ".*" && word != ".+" && !slices.Contains(everyFlow, word) {
				names = append(names, m[1]+" "+word)
			}
		}
	}
	return names
}

// TestQueriesKnowNoFlow: a flow with names that nobody has seen has all panels and alerts, since services, steps, topics and forms come from
// the labels' values.
func TestQueriesKnowNoFlow(t *testing.T) {
	found, err := Expressions("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		if names := namesOfFlow(e.Expr); len(names) > 0 {
			t.Errorf("it names %q, which another flow has not: %s", names, e)
		}
	}
	for expr, want := range map[string]string{
		`x{service_name="gateway", tracelab_form=~".*"}`: "", `x{service_name=~"payment|client"}`: "service_name payment", `x{tracelab_step != "orders.Accept"}`: "tracelab_step orders.Accept",
		`x{messaging_destination_name="order.placed"}`: "messaging_destination_name order.placed", `x{tracelab_step!=""}`: "",
	} {
		if got := strings.Join(namesOfFlow(expr), " "); got != want {
			t.Errorf("%s names %q, want %q", expr, got, want)
		}
	}
}

// TestTitlesKnowNoFlow: no text of a dashboard or an alert names a step or a topic of a built-in flow.
func TestTitlesKnowNoFlow(t *testing.T) {
	flows, err := filepath.Glob("../services/flows/*.yaml")
	if err != nil || len(flows) == 0 {
		t.Fatalf("no flows: %v", err)
	}
	name := regexp.MustCompile(`(?m)^  ([a-z][a-z-]*\.[A-Z]\w*):|message: ([\w.-]+)`)
	texts := files(t)
	rules, err := os.ReadFile("../prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	texts["rules.yaml"] = rules
	n := 0
	for _, flow := range flows {
		text, err := os.ReadFile(flow)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			n++
			for file, content := range texts {
				if word := m[1] + m[2]; strings.Contains(string(content), word) {
					t.Errorf("%s names %s of %s", file, word, filepath.Base(flow))
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d names found in the flows", n)
	}
}
