package lab_test

import (
	"testing"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/journey/lint"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// The rules find nothing to say about the lab's own spans where a consumer's span has a link to its message, polls and
// commits included; and where it has the parent alone, exactly S09 for each process span.
func TestRulesOnTheLabsOwnSpans(t *testing.T) {
	testkit.Unraced(t, "TestARunOfAnyFlow")
	t.Parallel() // in virtual time
	for _, c := range []struct {
		relation string
		want     func(processSpans int) map[journey.RuleID]int
	}{
		{"both", func(int) map[journey.RuleID]int { return map[journey.RuleID]int{} }},
		{"link", func(int) map[journey.RuleID]int { return map[journey.RuleID]int{} }},
		{"parent", func(n int) map[journey.RuleID]int { return map[journey.RuleID]int{"S09": n} }},
	} {
		t.Run(c.relation, func(t *testing.T) {
			relation, err := services.ParseRelation(c.relation)
			if err != nil {
				t.Fatal(err)
			}
			virtually(t, func(config *lab.Config) {
				config.Relation, config.Orders = relation, 2
			}, func(t *testing.T, result *lab.Result) {
				spans := runSpans(t, result)
				processed := 0
				for i := range spans {
					if operation, _ := spans[i].Attr("messaging.operation.type"); operation.String() == "process" {
						processed++
					}
				}
				if processed != 2*(8+7) { // of kafka and of hybrid
					t.Fatalf("%d process spans: the run is not the one that this test is about", processed)
				}
				found := lint.Check(journey.NewSet(spans))
				want := c.want(processed)
				for rule, n := range found.Counts.Rules {
					if n != want[rule] {
						t.Errorf("%d findings of %s, want %d", n, rule, want[rule])
					}
				}
				for rule, n := range want {
					if found.Counts.Rules[rule] != n {
						t.Errorf("%d findings of %s, want %d", found.Counts.Rules[rule], rule, n)
					}
				}
				if t.Failed() {
					for _, f := range found.Findings[:min(5, len(found.Findings))] {
						t.Logf("%s %s: %s", f.Rule, f.Span, f.Text)
					}
				}
			})
		})
	}
}

// runSpans reads every span of a run back, the shared ones too.
func runSpans(t *testing.T, result *lab.Result) []journey.Span {
	t.Helper()
	run, ok, err := rundir.Open(result.Dir)
	if err != nil || !ok {
		t.Fatalf("open %s: %v, a run directory: %v", result.Dir, err, ok)
	}
	spans, warnings, err := run.Spans()
	if err != nil || len(warnings) > 0 {
		t.Fatalf("read %s: %v, %v", result.Dir, err, warnings)
	}
	return spans
}
