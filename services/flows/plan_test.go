package flows

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// plan is the plan of a form; a wrong one ends the test.
func plan(t *testing.T, f *Flow, form Form, skipped ...Step) *Plan {
	t.Helper()
	p, err := f.Plan(form, skipped...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// carriers are those of a plan's hops; a join's is marked.
func carriers(p *Plan) string {
	var texts []string
	for _, h := range p.Hops {
		text := string(h.By)
		if h.Join {
			text += "+"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

func TestWhatCarriesTheOrder(t *testing.T) {
	for form, want := range map[Form]string{
		REST: "http http http http http http local", GRPC: "grpc grpc grpc grpc grpc grpc local", "chained": "grpc grpc grpc grpc grpc grpc local",
		Kafka: "grpc kafka kafka kafka kafka kafka kafka+", Hybrid: "grpc grpc kafka kafka kafka kafka kafka+",
	} {
		p := plan(t, Order(), form)
		if got := carriers(p); got != want {
			t.Errorf("%s: %s, want %s", form, got, want)
		}
		if calls := form != Kafka && form != Hybrid; p.EndsInCall() != calls || p.CallsFromEntry() != (form != Kafka) {
			t.Errorf("%s: ends in the call: %v, calls from the entry: %v", form, p.EndsInCall(), p.CallsFromEntry())
		}
	}
	for form, want := range map[Form]string{REST: "http http http http local", Kafka: "grpc kafka kafka kafka kafka+", Hybrid: "grpc grpc kafka kafka kafka+"} {
		ride, err := Named("ride")
		if err != nil {
			t.Fatal(err)
		}
		if got := carriers(plan(t, ride, form)); got != want {
			t.Errorf("ride, %s: %s, want %s", form, got, want)
		}
	}
}

// TestWhoHoldsThePlan: the caller keeps it unless the form says otherwise; a message hands it over.
func TestWhoHoldsThePlan(t *testing.T) {
	for _, c := range []struct {
		form         Form
		step, holder Step
	}{
		{GRPC, "payment.Charge", "orders.Accept"}, {GRPC, "orders.Complete", "orders.Accept"}, {"chained", "payment.Charge", "payment.Charge"},
		{"chained", "orders.Complete", "orders.Accept"}, {Kafka, "payment.Charge", "payment.Charge"}, {Kafka, "orders.Complete", "orders.Complete"},
		{Hybrid, "inventory.Reserve", "orders.Accept"}, {Hybrid, "payment.Charge", "payment.Charge"},
	} {
		if got := plan(t, Order(), c.form).Holder(c.step); got != c.holder {
			t.Errorf("%s: behind %s the plan is held behind %q, want %s", c.form, c.step, got, c.holder)
		}
	}
}

const joins = `flow: joins
steps:
  a.Enter: {wait: 1ms}
  b.One: {after: a.Enter, message: t.b, wait: 1ms}
  c.Two: {after: a.Enter, message: t.c, wait: 1ms}
  d.Both: {after: [b.One, c.Two], message: t.d, wait: 1ms}
forms:
  grpc: {each: grpc}
`

// TestJoins: who holds all branches may lead to any step; branches that nobody holds together only the entry's service joins.
func TestJoins(t *testing.T) {
	for form, want := range map[string]string{
		"{each: grpc, plan: callee}":                            "grpc grpc grpc grpc local",
		"{each: grpc, d.Both: kafka}":                           "grpc grpc grpc kafka grpc",
		"{each: kafka, a.Enter: grpc}":                          "",
		"{each: kafka, a.Enter: http, d.Both: grpc}":            "",
		"{each: grpc, b.One: kafka}":                            "",
		"{each: grpc, d.Both: kafka, plan: callee}":             "",
		"{each: grpc, d.Both: rabbitmq, a.Settle: rabbitmq}":    "",
		"{each: grpc, b.One: http, c.Two: http, d.Both: kafka}": "grpc http http kafka grpc",
	} {
		f, err := Parse("j.yaml", []byte(joins+"  other: "+form+"\n"))
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "j.yaml:") {
				t.Errorf("%s: %v, want an error with a place", form, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		if got := carriers(plan(t, f, "other")); got != want {
			t.Errorf("%s: %s, want %s", form, got, want)
		}
	}
}

// TestASkippedStepIsPassedBy: who would lead to it leads to what comes after.
func TestASkippedStepIsPassedBy(t *testing.T) {
	f, err := Parse("p.yaml", []byte(strings.Replace(small, "cpu: 5", "cpu: 5, share: 0.5", 1)))
	if err != nil {
		t.Fatal(err)
	}
	always := func(at float64) func(Step) float64 { return func(Step) float64 { return at } }
	for _, c := range []struct {
		kind string
		draw float64
		want []Step
	}{
		{"big", 0.4, nil}, {"big", 0.6, []Step{"scale.Weigh"}}, {"small", 0.4, []Step{"truck.Load"}}, {"small", 0.6, []Step{"scale.Weigh", "truck.Load"}},
	} {
		if diff := cmp.Diff(c.want, f.Skipped(map[string]string{"kind": c.kind}, always(c.draw)), cmp.Transformer("nil", func(s []Step) []Step { return append([]Step{}, s...) })); diff != "" {
			t.Errorf("%s, drawn %v (-want +got):\n%s", c.kind, c.draw, diff)
		}
	}
	p := plan(t, f, Kafka, "scale.Weigh")
	hop, _ := p.Hop("truck.Load")
	if len(p.Hops) != 3 || !slices.Equal(hop.After, []Step{"desk.Take"}) || hop.Topic != "parcel.weighed" {
		t.Errorf("without scale.Weigh: %+v", p.Hops)
	}
	if p = plan(t, f, Kafka, "scale.Weigh", "truck.Load"); carriers(p) != "http local" {
		t.Errorf("without both: %s", carriers(p))
	}
}

// TestPicturesFit: 80 columns hold the pictures of all built-in flows.
func TestPicturesFit(t *testing.T) {
	for _, name := range []string{"order", "ride", "reaction", "chain:12", "fan-out:5"} {
		f, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		var text, page bytes.Buffer
		if err := f.WriteText(&text, 80); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
		if err := f.WriteHTML(&page); err != nil {
			t.Fatal(err)
		}
		for _, step := range f.Steps() {
			if !strings.Contains(text.String(), string(step)) || !strings.Contains(page.String(), string(step)) {
				t.Errorf("%s: %s is not in the picture", name, step)
			}
		}
	}
}

// TestAPageShowsTextAsText: what a file says cannot become a part of the page.
func TestAPageShowsTextAsText(t *testing.T) {
	f, err := Parse("p.yaml", []byte(strings.Replace(small, "flow: parcel", "flow: parcel\nwhat: <script>alert(1)</script>", 1)))
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := f.WriteHTML(&page); err != nil || strings.Contains(page.String(), "<script") {
		t.Errorf("%v: the page has a script", err)
	}
}
