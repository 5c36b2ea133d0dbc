package lab_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/journey/lint"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// TestContextFaults: what orders sends lacks a part of the context, over every carrier. The accounts find each unit all the same, the
// journeys say what is missing, and the rules find it by name: what they cannot see in the spans alone, they do not report.
func TestContextFaults(t *testing.T) {
	t.Parallel() // in virtual time
	rules := func(of ...journey.RuleID) []journey.RuleID { return of }
	for _, c := range testkit.Few(3, []struct {
		fault string
		form  services.Form
		rules []journey.RuleID
	}{
		{"drop-context", services.REST, rules("P06")},
		{"drop-context", services.GRPC, rules("P06")},
		{"drop-context", services.Kafka, rules("P03", "S01")},
		// Spans without baggage do not say of which order they are, and still are in its trace: no rule finds anything.
		{"drop-baggage", services.REST, nil},
		{"drop-baggage", services.GRPC, nil},
		{"drop-baggage", services.Kafka, nil},
		{"unsample", services.REST, rules("P06")},
		{"unsample", services.GRPC, rules("P06")},
		{"unsample", services.Kafka, rules("P05")},
		{"double-traceparent", services.REST, rules("P06", "P13")},
		{"double-traceparent", services.GRPC, rules("P06", "P13")},
		{"double-traceparent", services.Kafka, rules("P01", "P04", "P13")},
	}) {
		t.Run(c.fault+" "+string(c.form), func(t *testing.T) {
			var began time.Time
			virtually(t, func(config *lab.Config) {
				began = time.Now()
				config.Orders, config.Rate, config.Headers, config.Deadline = 10, 20, true, time.Minute
				config.Forms, config.Faults = []services.Form{c.form}, faults("orders:"+c.fault+"@0.5")
			}, func(t *testing.T, result *lab.Result) {
				healthy(t, result)
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("the run took %v: it waited for spans that cannot come", took)
				}
				f := result.Forms[c.form]
				if a := f.Orders; a.Completed != 10 || a.Accepted != 10 || a.Answered != 10 {
					t.Errorf("%+v", a)
				}
				if got := f.Faulted.Fired[0].String(); got != "5 of 10, as drawn" {
					t.Errorf("fired on %s", got)
				}
				if f.Journeys != 5 || f.Incomplete != 5 || len(result.Explained) != 1 || !strings.Contains(result.Explained[0], "(comes of fault orders:"+c.fault+"@0.5)") || strings.Contains(result.Explained[0], "not reconnected") ||
					!strings.Contains(result.Explained[0], ": what orders sends ") {
					t.Errorf("%d journeys, %d incomplete, explained %q", f.Journeys, f.Incomplete, result.Explained)
				}
				if found := rulesIn(runSpans(t, result)); !slices.Equal(found, c.rules) {
					t.Errorf("the rules find %v, want %v", found, c.rules)
				}
				run, _, err := rundir.Open(result.Dir)
				if err != nil {
					t.Fatal(err)
				}
				form, err := run.ReadForm(string(c.form))
				if err != nil {
					t.Fatal(err)
				}
				if found := rulesIn(form.Spans); !slices.Equal(found, c.rules) {
					t.Errorf("the rules find %v in the form alone, want %v", found, c.rules)
				}
			})
		})
	}
}

// rulesIn lists the rules that find something in spans.
func rulesIn(spans []journey.Span) (found []journey.RuleID) {
	for rule, n := range lint.Check(journey.NewSet(spans)).Counts.Rules {
		if n > 0 {
			found = append(found, rule)
		}
	}
	slices.Sort(found)
	return found
}

// TestMessageFaults: messages come twice, behind others, and behind one that nobody can read; every order is completed once.
func TestMessageFaults(t *testing.T) {
	t.Parallel() // in virtual time
	for fault, check := range map[string]func(t *testing.T, result *lab.Result, f *lab.FormResult){
		"duplicate": func(t *testing.T, _ *lab.Result, f *lab.FormResult) {
			if f.Effects.Skipped < 5 {
				t.Errorf("effects %+v: nothing came twice", f.Effects)
			}
		},
		"reorder": func(t *testing.T, result *lab.Result, _ *lab.FormResult) {
			if behind := overtaken(t, result, "stock.reserved"); behind < 3 {
				t.Errorf("%d messages were overtaken", behind)
			}
		},
		"poison": func(t *testing.T, result *lab.Result, _ *lab.FormResult) {
			if result.Skipped < 5 { // one that cannot be put with the dead letters comes again
				t.Errorf("%d records could not be decoded, want at least 5", result.Skipped)
			}
		},
	} {
		t.Run(fault, func(t *testing.T) {
			if fault != "duplicate" {
				testkit.Unraced(t, "TestMessageFaults/duplicate")
			}
			virtually(t, func(config *lab.Config) {
				config.Orders, config.Rate = 10, 20
				config.Forms, config.Faults = []services.Form{services.GRPC, services.Kafka}, faults("inventory:"+fault+"@0.5")
			}, func(t *testing.T, result *lab.Result) {
				healthy(t, result)
				for form, f := range result.Forms {
					if f.Orders.Completed != 10 || f.Effects.Twice > 0 || f.Effects.Once != 70 {
						t.Errorf("%s: %+v, effects %+v", form, f.Orders, f.Effects)
					}
				}
				if got := result.Forms[services.Kafka].Faulted.Fired[0].String(); got != "5 of 10, as drawn" {
					t.Errorf("fired on %s", got)
				}
				if got := result.Forms[services.GRPC].Faulted.Fired[0].Fired; got != 0 {
					t.Errorf("fired on %d orders without a message", got)
				}
				check(t, result, result.Forms[services.Kafka])
			})
		})
	}
}

// TestTheWarmUpsPoisonIsNotCounted: what nobody could decode is counted for the orders of the run, as all other figures are.
func TestTheWarmUpsPoisonIsNotCounted(t *testing.T) {
	testkit.Unraced(t, "TestMessageFaults")
	t.Parallel() // in virtual time
	virtually(t, func(config *lab.Config) {
		config.Orders, config.Rate, config.WarmUp, config.Windows = 4, 20, 10, 1
		config.Forms, config.Faults = []services.Form{services.Kafka}, faults("inventory:poison")
	}, func(t *testing.T, result *lab.Result) {
		healthy(t, result)
		if result.Skipped < 4 || result.Skipped > 8 { // 14 with those of the warm-up; one that cannot be put with the dead letters comes again
			t.Errorf("%d records could not be decoded, want those of 4 orders", result.Skipped)
		}
	})
}

// overtaken counts the messages of a topic that were sent after the message of a later order.
func overtaken(t *testing.T, result *lab.Result, topic string) int {
	t.Helper()
	sent := map[int]int64{} // by order number, when
	for _, s := range runSpans(t, result) {
		if s.Name != "send "+topic {
			continue
		}
		number, _ := s.Attr(services.KeyNumber)
		n, err := strconv.Atoi(number.String())
		if err != nil {
			t.Fatal(err)
		}
		sent[n] = s.Start
	}
	behind := 0
	for number, at := range sent {
		if next, ok := sent[number+1]; ok && next < at {
			behind++
		}
	}
	return behind
}
