package lab_test

import (
	"strings"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/lab/rundir"
)

// TestTheRateThatTheGeneratorKeepsIsFound and said for a run that is on time, as every run in virtual time is. The orders
// that it takes are in no figure.
func TestTheRateThatTheGeneratorKeepsIsFound(t *testing.T) {
	testkit.Unraced(t, "TestAccountsOfAHealthyRun")
	t.Parallel() // in virtual time
	for name, c := range map[string]struct {
		change  func(*lab.Config)
		orders  int
		highest float64
		said    string
	}{
		"three higher": {func(c *lab.Config) { c.Rate = 20 }, 5, 160, "it is on time at this rate, and still at 160 orders/s, the highest that was tried"},
		"no warm-up":   {func(c *lab.Config) { c.WarmUp = 0 }, 5, 0, "it is on time at this rate\n"},
		"few orders":   {func(c *lab.Config) { c.Orders = 4 }, 4, 0, "it is on time at this rate\n"},
		"highest rate": {func(c *lab.Config) { c.Rate = 600 }, 5, 0, "it is on time at this rate\n"},
	} {
		t.Run(name, func(t *testing.T) {
			result := quickly(t, func(config *lab.Config) {
				config.Orders, config.WarmUp = 5, 1
				c.change(config)
			})
			balanced(t, result)
			if g := result.Generator; g.Higher != c.highest || g.OnTime != max(result.Rate, c.highest) || g.LateAt != 0 {
				t.Errorf("%+v, want rates up to %g tried", g, c.highest)
			}
			for form, f := range result.Forms {
				if f.Orders.Placed != c.orders {
					t.Errorf("%s: %d orders in the figures, want %d", form, f.Orders.Placed, c.orders)
				}
			}
			var text strings.Builder
			if err := result.WriteText(&text, format.Style{}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text.String(), c.said) {
				t.Errorf("the text does not say %q:\n%s", c.said, text.String())
			}
		})
	}
}

// TestGeneratorVerdicts are what a report says of a generator, whatever was tried after the run.
func TestGeneratorVerdicts(t *testing.T) {
	for want, g := range map[string]rundir.Generator{
		"it is on time at this rate":                                                   {Rate: 80, OnTime: 80},
		"it is on time at this rate, and late at 160 orders/s":                         {Rate: 80, OnTime: 80, Higher: 160, LateAt: 160},
		"it is on time at this rate, and still at 320 orders/s; late at 640":           {Rate: 80, OnTime: 320, Higher: 640, LateAt: 640},
		"it is late at this rate; it starts on time at 40 orders/s: use --rate 40":     {Rate: 80, StartLagP99: 3, OnTime: 40, Tried: 40},
		"it is late at this rate; it was late at 20 orders/s, too: use a machine that": {Rate: 80, StartLagP99: 3, Tried: 20},
	} {
		if got := lab.VerdictOf(g); !strings.HasPrefix(got, want) {
			t.Errorf("%+v: %q, want %q", g, got, want)
		}
	}
}
