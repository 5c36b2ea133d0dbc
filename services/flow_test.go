package services

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/testkit"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// parcel is a flow with names that the code has never seen: branches of unequal depth, a service with two steps side by side on one topic, steps
// that not every unit passes through, a join in the middle that one holder does, and forms that mix carriers.
const parcel = `flow: parcel
unit: parcel
body: {sender: text 1..20, kind: one of small big, weight: 1..30}
reasons: {too_heavy: 409}
steps:
  desk.Take: {wait: 1ms}
  scale.Weigh: {after: desk.Take, message: parcel.taken, wait: 3ms, cpu: 5}
  label-printer.Print: {after: desk.Take, message: parcel.taken, wait: 2ms}
  scale.Photograph: {after: desk.Take, message: parcel.taken, wait: 4ms}
  customs.Declare: {after: scale.Weigh, message: parcel.weighed, wait: 5ms, when: kind = big}
  truck.Load: {after: customs.Declare, message: parcel.declared, wait: 6ms, share: 0.5}
  desk.File: {after: [label-printer.Print, scale.Photograph], message: parcel.documented, wait: 1ms}
  archive.Keep: {after: desk.File, message: parcel.filed, wait: 2ms}
forms:
  calls: {each: http}
  nested: {each: grpc, plan: callee}
  queue: {each: grpc, arrange: one by one}
  messages: {each: kafka, desk.Take: http}
  mixed: {each: kafka, desk.Take: grpc, scale.Weigh: grpc, archive.Keep: http}
  late: {each: grpc, customs.Declare: kafka}
  afterwards: {each: grpc, answer: after scale.Weigh}
  patient: {each: kafka, desk.Take: grpc, answer: done}
`

// withFlow lets the lab's services do a flow.
func withFlow(t *testing.T, f *flows.Flow) func(*Config) {
	t.Helper()
	return func(c *Config) {
		c.Flow, c.Services = f, f.Services()
		c.HTTP, c.GRPC = DefaultAddresses(f)
	}
}

func parsed(t *testing.T, text string) *flows.Flow {
	t.Helper()
	f, err := flows.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// everyFlow are the built-in flows and the test's own.
func everyFlow(t *testing.T) []*flows.Flow {
	t.Helper()
	list := []*flows.Flow{parsed(t, parcel)}
	for _, name := range []string{"order", "ride", "reaction", "chain:1", "chain:4", "fan-out:1", "fan-out:3"} {
		f, err := flows.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

// TestSameSeedSameWork: every unit passes through the same steps at the same cost in all forms of all flows, each step once, and comes to its
// end; as many messages are handled as the plan says.
func TestSameSeedSameWork(t *testing.T) {
	t.Parallel() // in virtual time
	const units = 4
	for _, f := range testkit.Few(2, everyFlow(t)) {
		t.Run(f.Name, func(t *testing.T) {
			inBubble(t, func(l *testLab) {
				for number := range units {
					var first map[Step]time.Duration
					for _, form := range f.Forms() {
						e := Experiment{Run: "r", Form: form, Flow: f.Name, Number: number, Seed: 7}
						work := l.workOf(f, e)
						if first == nil {
							first = work
						}
						if diff := cmp.Diff(first, work); diff != "" {
							t.Errorf("%s, unit %d: the steps and how long they work (-%s +%s):\n%s", f.Name, number, f.Forms()[0], form, diff)
						}
					}
				}
			}, withFlow(t, f))
		})
	}
}

// workOf places a unit, waits for its end, and returns how long each of its steps worked.
func (l *testLab) workOf(f *flows.Flow, e Experiment) map[Step]time.Duration {
	l.Helper()
	name := fmt.Sprintf("%s %s %d", f.Name, e.Form, e.Number)
	body := f.DrawBody(e.Draw("placement"))
	texts := map[string]string{}
	for field, value := range body {
		texts[field] = fmt.Sprint(value)
	}
	plan, err := f.Plan(e.Form, e.Skipped(f, texts)...)
	l.must(err)
	a := l.place(e, body)
	if a.id() == "" {
		l.Fatalf("%s: answered %d %s %v", name, a.status, a.body, a.err)
	}
	if want := map[bool]int{true: 201, false: 202}[plan.EndsInCall()]; a.status != want {
		l.Errorf("%s: answered %d %s, want %d", name, a.status, a.body, want)
	}
	l.await(a.id())
	time.Sleep(time.Second) // what else is on its way ends
	state := l.state(a.id())
	if state.Status != Completed || len(state.Failures) > 0 {
		l.Errorf("%s: %+v, want completed", name, state)
	}
	work := map[Step]time.Duration{}
	for step, spans := range l.stepSpans(e) {
		if len(spans) != 1 {
			l.Errorf("%s: %s was done %d times", name, step, len(spans))
		}
		work[step] = spans[0].EndTime().Sub(spans[0].StartTime())
	}
	var steps []Step
	for step := range work {
		steps = append(steps, step)
	}
	if diff := cmp.Diff(sorted(plan.Reached()...), sorted(steps...)); diff != "" {
		l.Errorf("%s: steps (-plan +done):\n%s", name, diff)
	}
	want := plan.Deliveries()
	if got := l.deliveries(e); len(want)+len(got) > 0 {
		if diff := cmp.Diff(want, got); diff != "" {
			l.Errorf("%s: messages (-plan +handled):\n%s", name, diff)
		}
	}
	return work
}

// TestNobodyWaitsForSiblings: in a flow whose branches are of unequal depth, each step begins when the ones that lead to it have ended, in a
// form of calls as in one of messages. In virtual time a hop takes nothing, so all forms are the same to the nanosecond, to the last step.
func TestNobodyWaitsForSiblings(t *testing.T) {
	f := parsed(t, `flow: uneven
steps:
  a.Begin: {wait: 1ms, spread: 0}
  b.Short: {after: a.Begin, message: t.b, wait: 2ms, spread: 0}
  c.Long: {after: a.Begin, message: t.b, wait: 50ms, spread: 0}
  d.Behind: {after: b.Short, message: t.d, wait: 40ms, spread: 0}
  e.Last: {after: d.Behind, message: t.e, wait: 3ms, spread: 0}
forms:
  grpc: {each: grpc}
  chained: {each: grpc, plan: callee}
  kafka: {each: kafka, a.Begin: grpc}
`)
	inBubble(t, func(l *testLab) {
		type place struct{ begin, end time.Duration } // from the entry's beginning on
		first := map[Step]place{}
		for i, form := range f.Forms() {
			e := Experiment{Run: "r", Form: form}
			l.await(l.place(e, Placement{}).id())
			time.Sleep(time.Second)
			spans, at := l.stepSpans(e), map[Step]place{}
			for _, step := range f.Steps() {
				from := spans[f.Entry()][0].StartTime()
				at[step] = place{spans[step][0].StartTime().Sub(from), spans[step][0].EndTime().Sub(from)}
			}
			for _, row := range f.Rows[1:] {
				latest := time.Duration(0)
				for _, after := range row.After {
					latest = max(latest, at[after].end)
				}
				if waited := at[row.Step].begin - latest; waited != 0 {
					t.Errorf("%s: %s began %v after what leads to it, want at once", form, row.Step, waited)
				}
			}
			if i == 0 {
				first = at
			}
			if diff := cmp.Diff(first, at, cmp.AllowUnexported(place{})); diff != "" {
				t.Errorf("%s is not to the nanosecond what %s is:\n%s", form, f.Forms()[0], diff)
			}
		}
	}, withFlow(t, f))
}

// TestStepsOfOneServiceShareARecord: the record comes once, and both steps run under its one process span, side by side.
func TestStepsOfOneServiceShareARecord(t *testing.T) {
	f := parsed(t, parcel)
	inBubble(t, func(l *testLab) {
		e := Experiment{Run: "r", Form: "messages"}
		l.await(l.place(e, Placement{"sender": "ada", "kind": "small", "weight": 3}).id())
		time.Sleep(time.Second)
		spans := l.stepSpans(e)
		weigh, photograph := spans["scale.Weigh"][0], spans["scale.Photograph"][0]
		if weigh.Parent().SpanID() != photograph.Parent().SpanID() || !weigh.StartTime().Equal(photograph.StartTime()) {
			t.Errorf("scale.Weigh is under %v from %v, scale.Photograph under %v from %v: want one process span, side by side",
				weigh.Parent().SpanID(), weigh.StartTime(), photograph.Parent().SpanID(), photograph.StartTime())
		}
		if n := l.deliveries(e)["parcel.taken"]; n != 2 {
			t.Errorf("%d deliveries of parcel.taken, want one for each of two services", n)
		}
	}, withFlow(t, f))
}

// TestCallsOneByOne: a form that says so makes one call at a time, in the order of the rows.
func TestCallsOneByOne(t *testing.T) {
	f, err := flows.Named("fan-out:4")
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, func(l *testLab) {
		e := Experiment{Run: "r", Form: "one-by-one"}
		l.await(l.place(e, Placement{"name": "x"}).id())
		spans := l.stepSpans(e)
		var before sdktrace.ReadOnlySpan
		for _, step := range f.Steps() {
			if before != nil && spans[step][0].StartTime().Before(before.EndTime()) {
				t.Errorf("%s began before %s had ended", step, before.Name())
			}
			before = spans[step][0]
		}
	}, withFlow(t, f))
}

// TestAStepOfAnyFlowFails: in every form the unit fails with that step, and the steps behind it are not done.
func TestAStepOfAnyFlowFails(t *testing.T) {
	t.Parallel() // in virtual time
	for _, f := range everyFlow(t)[:3] {
		inBubble(t, func(l *testLab) {
			row := f.Rows[1]
			for _, form := range f.Forms() {
				e := Experiment{Run: "r", Form: form, Seed: 7, Faults: []faults.Fault{{Service: row.Step.Service(), Kind: "error", Value: "bad_luck", Share: 1}}}
				a := l.place(e, f.DrawBody(e.Draw("placement")))
				state := l.await(a.id())
				if state.Status != Failed || len(state.Failures) == 0 || state.Failures[0].Reason != "bad_luck" {
					t.Errorf("%s %s: %+v, want failed with bad_luck", f.Name, form, state)
				}
				time.Sleep(time.Second)
				if done := l.stepSpans(e)[f.Last()]; len(done) > 0 {
					t.Errorf("%s %s: %s was done all the same", f.Name, form, f.Last())
				}
			}
		}, withFlow(t, f))
	}
}

// TestAnotherFlowsUnitIsRefused, by its name in the baggage and by its form.
func TestAnotherFlowsUnitIsRefused(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, e := range []Experiment{{Run: "r", Form: GRPC, Flow: "ride"}, {Run: "r", Form: "nested"}} {
			if a := l.place(e, tea); a.status != 400 {
				t.Errorf("%+v: answered %d %s, want 400", e, a.status, a.body)
			}
		}
	})
}

// TestTheCodeKnowsNoStep: no step, topic or service of a built-in flow is named in Go code, but for the steps that have code of their own.
func TestTheCodeKnowsNoStep(t *testing.T) {
	var words []string
	for _, name := range []string{"order", "ride", "reaction"} {
		f, err := flows.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, f.Topics()...)
		for _, step := range f.Steps() {
			words = append(words, string(step))
		}
		for _, service := range f.Services()[1:] {
			if service != "orders" { // the word for all units, too
				words = append(words, `"`+service+`"`)
			}
		}
	}
	notCode := regexp.MustCompile(`^\s*//|usage:|help:`)
	looked := 0
	for _, room := range []string{".", "../lab", "../doctor", "../cmd"} {
		err := filepath.WalkDir(room, func(path string, entry fs.DirEntry, err error) error {
			name := filepath.Base(path)
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || slices.Contains([]string{"catalogue.go", "generate.go", "examples.go"}, name) {
				return err
			}
			looked++
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for i, line := range strings.Split(string(text), "\n") {
				code, _, _ := strings.Cut(line, " // ")
				for _, word := range words {
					if strings.Contains(code, word) && !strings.Contains(code, "such as") && !notCode.MatchString(code) {
						t.Errorf("%s:%d names %s: %s", path, i+1, word, strings.TrimSpace(line))
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 50 {
		t.Errorf("%d files were looked at", looked)
	}
}
