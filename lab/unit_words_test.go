package lab_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/internal/vocabulary"
	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// anOrder is the word of the flow order in a text; --orders is a flag of every run.
var anOrder = regexp.MustCompile(`(^|[^-a-zA-Z/>])[Oo]rders?([^a-zA-Z.]|$)`)

// inItsWords holds that a report counts the flow's own units: the text, and what the page and the JSON say beside the figures.
func inItsWords(t *testing.T, f *flows.Flow, result *lab.Result) {
	t.Helper()
	var text strings.Builder
	if err := result.WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if headline, _, _ := strings.Cut(text.String(), "\n"); !strings.Contains(headline, " "+vocabulary.Plural(f.Unit)+" in ") {
		t.Errorf("the headline does not count %s: %s", vocabulary.Plural(f.Unit), headline)
	}
	said := slices.Concat(strings.Split(text.String(), "\n"), result.Notes(), result.Warnings, result.Problems, result.Explained)
	for _, line := range said {
		if f.Unit != "order" && anOrder.MatchString(line) {
			t.Errorf("a run of the flow %s says %q", f.Name, line)
		}
	}
}

// TestTroubleIsToldInTheFlowsWords: what a run says of faults, events, links, clients and calls that it counted names the flow's own unit, and the page
// tells of the calls what the text tells.
func TestTroubleIsToldInTheFlowsWords(t *testing.T) {
	testkit.Unraced(t, "TestARunOfAnyFlow")
	t.Parallel() // in virtual time
	text, err := flows.LoadSource("ride")
	if err != nil {
		t.Fatal(err)
	}
	const step = "driver.Assign: {"
	f, err := flows.Parse("ride.yaml", []byte(strings.Replace(string(text), step, step+"retry: 3 within 1s, ", 1)))
	if err != nil {
		t.Fatal(err)
	}
	fault, err := services.ParseFault(f, "driver:error=busy@0.5,attempt=1")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*lab.Config){
		"calls and faults": func(c *lab.Config) { c.Faults = append(c.Faults, fault) },
		"killed":           func(c *lab.Config) { c.Events = events(t, f, "100ms:kill:driver", "600ms:start:driver") },
		"clients":          func(c *lab.Config) { c.OneRate, c.Rate, c.Clients = false, 0, 2 },
	} {
		virtually(t, func(c *lab.Config) {
			c.Flow, c.Forms, c.Orders, c.Timeout = f, f.Forms(), 6, 2*time.Second
			c.Forms = slices.DeleteFunc(c.Forms, func(form flows.Form) bool { return slices.Contains(f.FormsBy(flows.RabbitMQ), form) })
			change(c)
		}, func(t *testing.T, result *lab.Result) {
			inItsWords(t, f, result)
			if name != "calls and faults" {
				return
			}
			notes := strings.Join(result.Notes(), "\n")
			if !strings.Contains(notes, "driver.Assign  6 calls, ") || !strings.Contains(notes, " retries") {
				t.Errorf("the page does not tell of the calls:\n%s", notes)
			}
		})
	}
}
