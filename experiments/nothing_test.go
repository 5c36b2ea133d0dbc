package experiments_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"tracelab/experiments"
)

// nothing is the least that a claim can be: it measures nothing, so nothing is shown.
func nothing() experiments.Claim {
	return experiments.Claim{
		Name: "nothing", Statement: "nothing is known of this", Rule: "never", Kind: experiments.Calm,
		Measure: func(context.Context, *experiments.Lab) (experiments.Figures, error) { return nil, nil },
		Decide:  func(experiments.Figures) (experiments.Decision, error) { return experiments.Decision{}, nil },
	}
}

func Example() {
	out, err := os.MkdirTemp("", "claims-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(out) }()
	_, err = experiments.Run(context.Background(), experiments.Settings{Out: out}, []experiments.Claim{nothing()}, func(r experiments.Report) error {
		fmt.Printf("%s: %s: %s\n", r.Name, r.Verdict, r.Why)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: nothing: not shown: nothing was measured
}

// The page on how to add a claim begins with the claim above, as it is compiled and run here.
func TestThePageShowsTheExample(t *testing.T) {
	page, err := os.ReadFile("../docs/adding-a-claim.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("nothing_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(source), "// nothing is the least")
	code, _, _ = strings.Cut("// nothing is the least"+code, "\nfunc Example")
	if !strings.Contains(string(page), "```go\n"+strings.TrimSpace(code)+"\n```") {
		t.Errorf("docs/adding-a-claim.md does not show this:\n%s", code)
	}
	for _, word := range []string{"Predict", "Measure", "Decide", "Signature", "Alike", "Sabotages", "Needs", "Budget", "Delta", "Size", "Kind"} {
		if !strings.Contains(string(page), "`"+word+"`") {
			t.Errorf("docs/adding-a-claim.md does not speak of %s", word)
		}
	}
}

// The page names the claims that can be run on services elsewhere, and no others.
func TestThePageNamesWhatRunsElsewhere(t *testing.T) {
	page, err := os.ReadFile("../docs/adding-a-claim.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(page), "\n## Services elsewhere\n")
	for _, c := range experiments.All() {
		if strings.Contains(part, "`"+c.Name+"`") != c.Needs.Elsewhere {
			t.Errorf("%s: it runs elsewhere: %v; docs/adding-a-claim.md says something else", c.Name, c.Needs.Elsewhere)
		}
	}
}
