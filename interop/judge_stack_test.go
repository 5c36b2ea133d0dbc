//go:build stack

package interop

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/lint"
	"tracelab/journey/source"
)

// wanted is what the spans of one instrumentation must show. Names have "orders" in the place of the topic.
type wanted struct {
	way      string   // how billing takes the order
	relation string   // of billing's span to shop's: parent, link, or both
	consumer string   // the name of billing's span
	findings []string // of lint: the rule, the service and the span's name
}

// slack is how far a time that the spans show may be from what the programs measured: a fifth, as for the queue wait, or what a busy machine
// takes between the end of a span and the next line of a program.
func slack(d time.Duration) time.Duration { return max(d/5, 30*time.Millisecond) }

// judge reads the spans of an order, and holds what they show against what the programs measured.
func judge(t *testing.T, o order, topic string, want wanted) {
	t.Helper()
	read, err := source.ReadFile(o.file)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range read.Warnings {
		t.Errorf("reading the spans: %v", w)
	}
	set := journey.NewSet(read.Spans)
	t.Cleanup(func() {
		if t.Failed() {
			tree, err := exec.Command(tracelab, "journey", o.file).CombinedOutput() // t.Context has ended
			t.Logf("%s%v", tree, err)
		}
	})
	journeys := set.Journeys()
	if len(journeys) != 1 {
		t.Fatalf("%d journeys, want 1", len(journeys))
	}
	j := journeys[0]
	judgeHop(t, j, o, topic, want)
	judgeTimes(t, j, o)
	if got, want := findings(set, topic), slices.Sorted(slices.Values(want.findings)); !slices.Equal(got, want) {
		t.Errorf("lint finds:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// judgeHop holds that the order is one message from shop to billing, tied as wanted, and that it waited as long as the test made it wait.
func judgeHop(t *testing.T, j *journey.Journey, o order, topic string, want wanted) {
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
	made := o.handling.Sub(o.acknowledged)
	if made < queued {
		t.Errorf("the test made a queue wait of %v, want %v at least", made, queued)
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

// judgeTimes holds caller wait, completion and its path against what the programs measured, and that nothing is missing.
func judgeTimes(t *testing.T, j *journey.Journey, o order) {
	t.Helper()
	root, ok := j.Root()
	if span := j.Set().Span(root); !ok || span.Service != "shop" || span.Name != "POST /orders" {
		t.Errorf("root %s %s, want shop POST /orders", span.Service, span.Name)
	}
	wait, _ := j.CallerWait()
	near(t, "caller wait", wait, o.acknowledged.Sub(o.request))
	near(t, "completion", j.Completion(), o.charged.Sub(o.request))
	tail, _ := j.Tail()
	near(t, "tail", tail, o.charged.Sub(o.acknowledged))
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
	if !slices.ContainsFunc(j.Spans(), func(i journey.Index) bool { return j.Set().Span(i).Name == "charge" }) {
		t.Error("billing's charge is not in the journey")
	}
	if j.Incomplete() {
		t.Error("the journey is incomplete, want it whole")
	}
	for _, w := range j.Warnings() {
		t.Errorf("warning %s: %s", w.Rule, w.Text)
	}
}

func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want-slack(want) || got > want+slack(want) {
		t.Errorf("%s %v, want %v ± %v", what, got, want, slack(want))
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
