package lint_test

import (
	"slices"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/lint"
)

// Rules are chosen and left out by their ids; an id that no rule has is an error that lists them.
func TestChooseRules(t *testing.T) {
	const broken = "root 0-9\n  a 1-2 parent=?\nC CONSUMER 0-10 op=process trace=2"
	all := check(t, broken, nil)
	only, err := lint.Only(lint.Rules(), "P01", "P03")
	if err != nil || len(only) != 2 {
		t.Fatalf("%d rules, %v", len(only), err)
	}
	equal(t, check(t, broken, nil, lint.WithRules(only...)), []string{"P01", "P03"})
	without, err := lint.Without(lint.Rules(), "P01", "P03")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, check(t, broken, nil, lint.WithRules(without...)), slices.DeleteFunc(all, func(id string) bool { return id == "P01" || id == "P03" }))
	equal(t, check(t, broken, nil, lint.WithRules()), []string{})
	for name, choose := range map[string]func([]lint.Rule, ...journey.RuleID) ([]lint.Rule, error){"only": lint.Only, "without": lint.Without} {
		if _, err := choose(lint.Rules(), "P01", "P99"); err == nil || !strings.Contains(err.Error(), `"P99"`) || !strings.Contains(err.Error(), "P01, P02") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A rule from outside stands in the text as the others do; one that says nothing of itself does, too.
func TestOwnRules(t *testing.T) {
	own := lint.Rule{ID: "X01", Level: lint.LevelError, Finds: "A span is named a.", Fix: "rename it", Check: lint.EachSpan(func(p *lint.Pass, i journey.Index) {
		if p.Set().Span(i).Name == "a" {
			p.Report(i, "a is named a")
			p.Report(i, "a is named a")
		}
	})}
	silent := lint.Rule{ID: "X02", Check: func(p *lint.Pass) { p.ReportFix(0, "something", "do it") }}
	result := lint.Check(journey.NewSet(drawn(t, "root 0-9\n  a 1-2", nil)), lint.WithRules(own, silent, lint.Rule{ID: "X03"}))
	var b strings.Builder
	if err := result.WriteText(&b, format.Style{}, 0); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"X01 error: 1 × A span is named a.\n", "  fix: rename it\n", "X02 error: 1\n", "2 errors"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("no %q in\n%s", part, b.String())
		}
	}
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("rules %v, want %v", got, want)
	}
}
