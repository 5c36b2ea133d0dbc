package lab_test

import (
	"testing"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// TestJourneysNeverMix places orders so fast that dozens are on their way at a time, share polls and are committed
// together. All spans of the run are stitched at once: each belongs to the journey of its own order and to no other,
// and the shared ones to none.
func TestJourneysNeverMix(t *testing.T) {
	t.Parallel()      // in virtual time
	const orders = 20 // of each form
	for _, name := range testkit.Few(1, []string{"both", "parent", "link"}) {
		t.Run(name, func(t *testing.T) {
			var result *lab.Result
			virtually(t, func(c *lab.Config) { // whose broker hands out what has gathered in a tick
				c.Orders, c.Rate, c.Relation, c.Polls, c.Forms = orders, 800, relation(name), true, []services.Form{services.Kafka, services.Hybrid}
			}, func(_ *testing.T, r *lab.Result) { result = r })
			balanced(t, result)
			run, _, err := rundir.Open(result.Dir)
			if err != nil {
				t.Fatal(err)
			}
			spans, _, err := run.Spans()
			if err != nil {
				t.Fatal(err)
			}
			set := journey.NewSet(spans)
			journeys := map[string]int{}
			in := map[journey.Index]int{} // journeys that a span is in
			for _, j := range set.Journeys() {
				root, ok := j.Root()
				if !ok || len(j.Unreached()) > 0 {
					t.Errorf("a journey of %d spans has a root: %v, %d spans are not reached", len(j.Spans()), ok, len(j.Unreached()))
					continue
				}
				order := orderOf(set, root)
				journeys[order]++
				for _, i := range j.Spans() {
					in[i]++
					if of := orderOf(set, i); of != order || set.Shared(i) {
						t.Errorf("%s of order %q (shared: %v) is in the journey of order %q", set.Span(i).Name, of, set.Shared(i), order)
					}
				}
			}
			if len(journeys) != 2*orders || len(set.Journeys()) != 2*orders {
				t.Errorf("%d journeys of %d orders, want one for each of %d", len(set.Journeys()), len(journeys), 2*orders)
			}
			shared, batches := 0, 0
			for i := range journey.Index(set.Len()) {
				if set.Shared(i) {
					shared++
					if n, ok := set.Span(i).Attr("messaging.batch.message_count"); ok && n.String() != "1" {
						batches++
					}
				}
				if want := map[bool]int{false: 1}[set.Shared(i)]; in[i] != want {
					t.Errorf("%s of order %q is in %d journeys, want %d", set.Span(i).Name, orderOf(set, i), in[i], want)
				}
			}
			if shared != result.Shared || batches == 0 {
				t.Errorf("%d spans are shared, the report says %d; %d of them served several messages", shared, result.Shared, batches)
			}
		})
	}
}

// orderOf names the order that a span carries.
func orderOf(set *journey.Set, i journey.Index) string {
	form, _ := set.Span(i).Attr(services.KeyForm)
	number, _ := set.Span(i).Attr(services.KeyNumber)
	return form.String() + " " + number.String()
}
