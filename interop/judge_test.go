package interop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/lint"
)

// judge holds that the spans are one whole journey that crosses the hop, that its queue wait is the one that was made, and that lint finds only
// what is true of them.
func judge(t *testing.T, set *journey.Set, topic string, made time.Duration, want wanted) *journey.Journey {
	t.Helper()
	journeys := set.Journeys()
	if len(journeys) != 1 {
		t.Fatalf("%d journeys, want 1", len(journeys))
	}
	j := journeys[0]
	judgeHop(t, j, topic, made, want)
	judgePath(t, j, want)
	if got, want := findings(set, topic), slices.Sorted(slices.Values(want.findings)); !slices.Equal(got, want) {
		t.Errorf("lint finds:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return j
}

// judgeHop holds that the order is one message from shop to billing, tied as wanted, and that it waited as long as it was made to wait.
func judgeHop(t *testing.T, j *journey.Journey, topic string, made time.Duration, want wanted) {
	t.Helper()
	set := j.Set()
	messages := j.Messages()
	if len(messages) != 1 {
		t.Fatalf("%d messages, want 1: %+v", len(messages), messages)
	}
	m := messages[0]
	from, to := set.Span(m.Producer), set.Span(m.Consumer)
	if from.Service != "shop" || to.Service != "billing" || plain(to.Name, topic) != want.consumer || m.Topic != topic {
		t.Errorf("the message on %s goes from %s to %s %q, want on %s from shop to billing %q", m.Topic, from.Service, to.Service, plain(to.Name, topic), topic, want.consumer)
	}
	if got := relation(from, to); got != want.relation {
		t.Errorf("billing's span refers to shop's by %s, want %s", got, want.relation)
	}
	if m.Wait < made*8/10 || m.Wait > made*12/10 {
		t.Errorf("queue wait %v, want %v ± 20 %%", m.Wait, made)
	}
	if m.Overlap || m.Publish < 0 || m.Delivery != m.Publish+m.Wait {
		t.Errorf("publish %v, queue wait %v, delivery %v, overlap %v: want them to add up", m.Publish, m.Wait, m.Delivery, m.Overlap)
	}
}

func relation(from, to *journey.Span) string {
	var relations []string
	if to.Trace == from.Trace && to.Parent == from.ID {
		relations = append(relations, "parent")
	}
	if slices.ContainsFunc(to.Links, func(l journey.Link) bool { return l.Ref == journey.Ref{Trace: from.Trace, Span: from.ID} }) {
		relations = append(relations, "link")
	}
	return strings.Join(relations, " and ")
}

// judgePath holds that the journey begins with shop's request, has billing's work in it or beside it, misses nothing, and that the completion
// path adds up and has the queue wait on it.
func judgePath(t *testing.T, j *journey.Journey, want wanted) {
	t.Helper()
	root, ok := j.Root()
	if span := j.Set().Span(root); !ok || span.Service != "shop" || span.Name != "POST /orders" {
		t.Errorf("root %s %s, want shop POST /orders", span.Service, span.Name)
	}
	place, spans := "in", j.Spans()
	if want.apart {
		place, spans = "beside", j.Unreached()
	}
	if !slices.ContainsFunc(spans, func(i journey.Index) bool { return j.Set().Span(i).Name == "charge" }) {
		t.Errorf("billing's charge is not %s the journey", place)
	}
	if reason, incomplete := j.Incomplete(); incomplete {
		t.Errorf("the journey is incomplete, want it whole: %s", reason)
	}
	var warnings []string
	for _, w := range j.Warnings() {
		warnings = append(warnings, string(w.Rule))
	}
	if !slices.Equal(warnings, want.warnings) {
		t.Errorf("warnings %v, want %v: %v", warnings, want.warnings, j.Warnings())
	}
	var total, queue time.Duration
	for _, s := range j.CompletionPath() {
		total += s.Duration()
		if s.Wait && s.Class == journey.ClassMessage {
			queue += s.Duration()
		}
	}
	if total != j.Completion() || queue != j.Messages()[0].Wait {
		t.Errorf("on the completion path are %v, %v of it in the queue: want %v and %v", total, queue, j.Completion(), j.Messages()[0].Wait)
	}
}

// findings returns what lint finds, in order.
func findings(set *journey.Set, topic string) []string {
	var found []string
	for _, f := range lint.Check(set).Findings {
		i, _ := set.Find(journey.Ref{Trace: f.Trace, Span: f.Span})
		found = append(found, string(f.Rule)+" "+set.Span(i).Service+": "+plain(set.Span(i).Name, topic))
	}
	slices.Sort(found)
	return found
}

func plain(name, topic string) string { return strings.ReplaceAll(name, topic, "orders") }
