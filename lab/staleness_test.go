package lab_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/services/flows"
)

// TestAViewIsComparedByItsStaleness, and by nothing else: it leaves steps out. An update takes an acknowledgement and the way to the next delivery
// at the most to be visible, and a read is no older than the time between two updates and that.
func TestAViewIsComparedByItsStaleness(t *testing.T) {
	testkit.Unraced(t, "TestARunOfAnyFlow")
	t.Parallel() // in virtual time
	const orders = 30
	virtually(t, func(c *lab.Config) {
		c.Flow, c.Forms, c.Orders, c.Rate = named("profile"), []flows.Form{"view", "together", "graphql"}, orders, 90
	}, func(t *testing.T, result *lab.Result) {
		s := result.Forms["view"].Staleness
		if len(result.Problems) > 0 || s == nil || result.Forms["together"].Staleness != nil {
			t.Fatalf("problems %q, staleness %+v, want one of the view alone", result.Problems, s)
		}
		most := float64((publishDelay + deliveryTick).Milliseconds())
		if s.Reads != orders || s.Updates < 10 || *s.Visible.Median <= 0 || *s.Visible.Median > most || *s.Age.Median <= 0 || *s.Age.Median > 50+most {
			t.Errorf("%+v: want %d reads, an update visible within %v ms, and one each 50 ms", s, orders, most)
		}
		if s.Missed == 0 || s.Missed > orders/2 {
			t.Errorf("%d of %d reads missed an update: want the share of time in which one is on its way", s.Missed, orders)
		}
		if !slices.Equal(s.LeftOut, []flows.Step{"accounts.Read", "posts.List", "friends.List", "advice.Suggest"}) {
			t.Errorf("left out %v", s.LeftOut)
		}
		for _, d := range result.Comparisons {
			if d.Base == "view" || d.Other == "view" {
				t.Errorf("%s is compared with %s in %s: they do not do the same work", d.Other, d.Base, d.Measure)
			}
		}
		if result.Base != "together" || len(result.Comparisons) != len(compare.Measures())-1 { // no messages
			t.Errorf("base %s, %d comparisons", result.Base, len(result.Comparisons))
		}
		var text bytes.Buffer
		if err := result.WriteText(&text, format.Style{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"not the same work", "Its staleness: an update is visible", "accounts.Read"} {
			if !strings.Contains(strings.Join(strings.Fields(text.String()), " "), want) {
				t.Errorf("the report does not say %q", want)
			}
		}
		encoded, err := json.Marshal(result.Forms["view"])
		if err != nil || !strings.Contains(string(encoded), `"staleness":{"left_out":["accounts.Read"`) {
			t.Errorf("JSON: %v, %s", err, encoded)
		}
	})
}
