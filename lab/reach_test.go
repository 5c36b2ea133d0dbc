package lab_test

import (
	"strings"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestARunSaysWhatItsRelationChanges for a reader of the traces; the default has nothing to say.
func TestARunSaysWhatItsRelationChanges(t *testing.T) {
	testkit.Unraced(t, "TestJourneysNeverMix")
	t.Parallel() // in virtual time
	const orders = 2
	steps := len(flows.Order().Rows)
	for name, c := range map[string]struct {
		kotel bool
		said  []string
		want  lab.Reach // of one order of kafka; the spans of the caller's trace are left out
	}{
		"both":   {want: lab.Reach{CallerSteps: steps, Links: 8, Sent: 6, Processed: 8}},
		"parent": {want: lab.Reach{CallerSteps: steps, Sent: 6, Processed: 8}, said: []string{"kafka: 1 trace; the caller's own trace has 25 of 25 spans and 7 of 7 steps; 0 links", "with relation both:"}},
		"link": {want: lab.Reach{CallerSteps: 1, Links: 8, Sent: 6, Processed: 8}, said: []string{"What relation link changes", "kafka: 9 traces; the caller's own trace has 6 of 25 spans and 1 of 7 steps; 8 links",
			"hybrid: 8 traces; the caller's own trace has 9 of 25 spans and 2 of 7 steps; 7 links"}},
		"kotel": {kotel: true, want: lab.Reach{CallerSteps: steps, Sent: 6, Received: 8, Processed: 8}, said: []string{"What relation kotel changes", "spans of messages: 6 sent, 8 received, 8 processed"}},
	} {
		t.Run(name, func(t *testing.T) {
			result := quickly(t, func(config *lab.Config) {
				config.Orders = orders
				if config.Kotel = c.kotel; !c.kotel {
					config.Relation = relation(name)
				}
			})
			got := *result.Forms[services.Kafka].Reach
			if name == "both" && got.CallerSpans != result.Forms[services.Kafka].SpanCount {
				t.Errorf("%d of %d spans are in the caller's trace, want all", got.CallerSpans, result.Forms[services.Kafka].SpanCount)
			}
			got.CallerSpans = 0
			if c.want = (lab.Reach{CallerSteps: orders * c.want.CallerSteps, Links: orders * c.want.Links, Sent: orders * c.want.Sent, Received: orders * c.want.Received, Processed: orders * c.want.Processed}); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			var text strings.Builder
			if err := result.WriteText(&text, format.Style{}); err != nil {
				t.Fatal(err)
			}
			for _, said := range c.said {
				if !strings.Contains(text.String(), said) {
					t.Errorf("the text does not say %q:\n%s", said, text.String())
				}
			}
			if said := strings.Contains(text.String(), "What relation"); said != (name != "both") {
				t.Errorf("said what relation %s changes: %v", name, said)
			}
		})
	}
}
