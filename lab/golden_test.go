package lab_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
	misbehavior "tracelab/services/faults" // faults is a function here
	"tracelab/services/flows"
)

// goldenCase is a run in virtual time of which one journey of each form is held, to the nanosecond.
type goldenCase struct {
	name   string
	forms  []services.Form
	change func(*lab.Config)
	why    string
}

func goldenCases() []goldenCase {
	return []goldenCase{
		{"both", flows.Order().DefaultForms(), func(c *lab.Config) { c.Relation = relation("both") }, "the default: parent and link"},
		{"parent", flows.Order().DefaultForms(), func(c *lab.Config) { c.Relation = relation("parent") }, "one trace, and nothing but parents"},
		{"link", flows.Order().DefaultForms(), func(c *lab.Config) { c.Relation = relation("link") }, "a trace for each process span"},
		{"kotel", []services.Form{services.Kafka}, func(c *lab.Config) { c.Kotel = true }, "what that library makes of the same messages, as shipped"},
		{"corners", []services.Form{"ack", "reply"}, func(*lab.Config) {}, "an early answer without a broker, and a broker without an early answer"},
		{"chained", []services.Form{"chained"}, func(*lab.Config) {}, "calls nest"},
		{"payment-error", []services.Form{services.GRPC, services.Kafka}, func(c *lab.Config) { c.Faults = faults("payment:error=payment_declined") },
			"a failure is the answer to a call, and a message of its own"},
		{"payment-delay", []services.Form{services.REST, services.Hybrid}, func(c *lab.Config) { c.Faults = faults("payment:delay=200ms") },
			"the caller of a call feels it, the caller of a message does not"},
		{"profile", []services.Form{"one-by-one", "together", "graphql", "view"}, func(c *lab.Config) { c.Flow = named("profile") }, "calls one after another, side by side, in one query, and none, with a view"},
		{"activity", []services.Form{"call", "message", "batch"}, func(c *lab.Config) { c.Flow = named("activity") }, "what is logged for later, by a call, by a message, and by a batch of one"},
	}
}

// TestGoldenJourneys holds whole journeys: trees, durations, queue waits and both paths, as testdata/journeys has them.
func TestGoldenJourneys(t *testing.T) {
	t.Parallel() // in virtual time
	for _, c := range testkit.Few(1, goldenCases()) {
		t.Run(c.name, func(t *testing.T) {
			for form, got := range drawings(t, c) {
				compareGolden(t, filepath.Join("testdata", "journeys", c.name+"-"+string(form)+".txt"), got)
			}
		})
	}
}

// TestGoldenJourneysAreOneAnswer draws the same journeys again and again: nothing in them may be chance.
func TestGoldenJourneysAreOneAnswer(t *testing.T) {
	testkit.Unraced(t, "TestGoldenJourneys")
	t.Parallel()   // in virtual time
	const runs = 8 // beside the one that the golden file of these journeys holds
	// Links make the most traces, so the most that could get out of order; hybrid has all kinds of hops but HTTP's.
	c := goldenCase{forms: []services.Form{services.Hybrid}, change: func(c *lab.Config) { c.Relation = relation("link") }}
	first := drawings(t, c)
	for range runs - 1 {
		if diff := cmp.Diff(first, drawings(t, c)); diff != "" {
			t.Fatalf("another run, another answer (-first +this):\n%s", diff)
		}
	}
}

// drawings runs a case and draws its one journey of each form.
func drawings(t *testing.T, c goldenCase) map[services.Form]string {
	t.Helper()
	drawn := map[services.Form]string{}
	virtually(t, func(config *lab.Config) { config.Forms = c.forms; c.change(config) }, func(t *testing.T, result *lab.Result) {
		for _, form := range c.forms {
			journeys := group(t, result, form)
			if len(journeys) != 1 {
				t.Fatalf("%s has %d journeys, want 1; problems: %q", form, len(journeys), result.Problems)
			}
			drawn[form] = journeys[0].String()
		}
	})
	return drawn
}

// compareGolden compares text with a file, or writes the file with -update.
func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./lab -run %s -update writes it)", err, strings.Split(t.Name(), "/")[0])
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (-want +got; -update rewrites it):\n%s", file, diff)
	}
}

// named is a built-in flow.
func named(name string) *flows.Flow {
	f, err := flows.Named(name)
	if err != nil {
		panic(err) // a constant of a test; flows' own tests read them all
	}
	return f
}

// relation and faults read what a test writes as a constant; a wrong word ends it.
func relation(name string) services.Relation {
	r, err := services.ParseRelation(name)
	if err != nil {
		panic(err)
	}
	return r
}

func faults(texts ...string) []misbehavior.Fault {
	list := make([]misbehavior.Fault, len(texts))
	for i, text := range texts {
		var err error
		if list[i], err = services.ParseFault(flows.Order(), text); err != nil {
			panic(err)
		}
	}
	return list
}
