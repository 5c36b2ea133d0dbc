package compare_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/source"
)

// A gate in a build: it fails when orders take longer after a change, beyond what chance explains.
func Example_gate() {
	gate := func(args ...string) (passed bool) {
		before, err := source.ReadFile(args[1])
		if err != nil {
			panic(err)
		}
		after, err := source.ReadFile(args[2])
		if err != nil {
			panic(err)
		}
		limit, err := compare.ParseLimit("completion>5%")
		if err != nil {
			panic(err)
		}
		judgment := compare.Gate{Limits: []compare.Limit{limit}}.Judge([]compare.Group{
			{Name: "before", Journeys: journey.NewSet(before.Spans).Journeys()},
			{Name: "after", Journeys: journey.NewSet(after.Spans).Journeys()},
		}, compare.WithPairs(compare.ByAttribute("order.number")))
		passed = true
		for _, c := range judgment.Checks {
			fmt.Println(c.Outcome, c.Limit, c.Words())
		}
		if judgment.Outcome() == compare.OutcomeFail {
			passed = false
		}
		return passed
	}
	dir, err := os.MkdirTemp("", "gate-*")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Println(gate("gate", ordersFile(dir, "before.json", 50), ordersFile(dir, "after.json", 53)))
	// Output:
	// fail completion>5% +5.6 % [+5.4 %, +5.9 %], 8 pairs; half-width 0.3 %: +5.5 % fails in 95 of 100
	// false
}

// ordersFile writes eight orders as lines of OTLP/JSON; the first takes that many milliseconds, each further one 1 ms more.
func ordersFile(dir, name string, ms int) string {
	var b strings.Builder
	for i := range 8 {
		fmt.Fprintf(&b, `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[`+
			`{"traceId":"%032x","spanId":"%016x","name":"POST /orders","kind":2,"startTimeUnixNano":"1000000000","endTimeUnixNano":"%d",`+
			`"attributes":[{"key":"order.number","value":{"intValue":"%d"}}]}]}]}]}`+"\n", i+1, i+1, 1_000_000_000+(ms+i)*1_000_000, i)
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		panic(err)
	}
	return file
}

// Two systems that are equal but for chance: the difference is called the same where all that it may be lies within 2 %.
func ExampleWithSameWithin() {
	group := func(name string, milliseconds ...float64) compare.Group {
		g := compare.Group{Name: name}
		for _, ms := range milliseconds {
			g.Journeys = append(g.Journeys, journey.NewSet([]journey.Span{{
				Trace: journey.TraceID{1}, ID: journey.SpanID{1}, Kind: journey.KindServer, Service: "shop", Name: "POST /orders", End: int64(ms * 1e6),
			}}).Journeys()...)
		}
		return g
	}
	base := group("base", 100.0, 100.1, 100.2, 100.3, 100.4, 100.5, 100.6)
	other := group("other", 100.2, 100.3, 100.4, 100.5, 100.6, 100.7, 100.8)
	list, _ := compare.Differences(base, other, compare.WithSameWithin(compare.Amount{Share: true, Value: 0.02}))
	fmt.Println(list[1].Verdict)
	// Output:
	// same
}

// The figures of today's traces, written to a file, are what tomorrow's are compared with.
func ExampleNewBaseline() {
	today := compare.Group{Name: "today", Journeys: journey.NewSet([]journey.Span{{
		Trace: journey.TraceID{1}, ID: journey.SpanID{1}, Kind: journey.KindServer, Service: "shop", Name: "POST /orders", End: 50e6,
	}}).Journeys()}
	var file strings.Builder
	if err := compare.NewBaseline(today).Write(&file); err != nil {
		panic(err)
	}
	saved, err := compare.ReadBaseline(strings.NewReader(file.String()))
	if err != nil {
		panic(err)
	}
	base := compare.Describe(saved.Group())
	fmt.Println(base.Name, base.Journeys, *base.Of(compare.Completion).Median)
	// Output:
	// today 1 50
}
