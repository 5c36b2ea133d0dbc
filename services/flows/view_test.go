package flows

import (
	"slices"
	"strings"
	"testing"
)

// TestAViewLeavesStepsOut of the plan, and tells who feeds it, who reads it, and by what.
func TestAViewLeavesStepsOut(t *testing.T) {
	f, err := Named("profile")
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Plan("view")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Reached(); !slices.Equal(got, []Step{"pages.Open", "pages.Compose"}) || len(f.LeftOut("view")) != 4 || len(f.LeftOut("together")) != 0 {
		t.Errorf("steps of the form view: %v, left out %v", got, f.LeftOut("view"))
	}
	if !f.ReadsView("view", "pages.Compose") || f.ReadsView("view", "pages.Open") || f.ReadsView("together", "pages.Compose") {
		t.Error("pages.Compose reads the view in the form view, and nothing else does")
	}
	if got := f.FormsBy(KafkaLog); !slices.Equal(got, []Form{"view"}) || !slices.Contains(f.Carriers(), KafkaLog) {
		t.Errorf("forms with Kafka %v, carriers %v", got, f.Carriers())
	}
	if got := f.Consumes("pages", KafkaLog); !slices.Contains(got, "page.changed") || !slices.Contains(f.Topics(), "page.changed") || len(f.Consumes("posts", KafkaLog)) != 0 {
		t.Errorf("pages consumes %v, of %v", got, f.Topics())
	}
	if view := f.ViewOf("together", "view"); view == nil || view.String() != "{from: [accounts, posts, friends, advice], fed: kafka, updates: 20/s}" || f.ViewOf("together") != nil {
		t.Errorf("view %v", view)
	}
	var text strings.Builder
	if err := f.WriteText(&text, 80); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"in view", "view: pages keeps a view of accounts, posts, friends, advice", "compared by its"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	for line := range strings.Lines(text.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}
