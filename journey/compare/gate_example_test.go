package compare_test

import (
	"fmt"
	"log"
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
			log.Fatal(err)
		}
		after, err := source.ReadFile(args[2])
		if err != nil {
			log.Fatal(err)
		}
		result := compare.Groups([]compare.Group{
			{Name: "before", Journeys: journey.NewSet(before.Spans).Journeys()},
			{Name: "after", Journeys: journey.NewSet(after.Spans).Journeys()},
		}, compare.WithPairs(compare.ByAttribute("order.number")))
		passed = true
		for _, d := range result.Differences {
			fmt.Println(compare.MeasureWords(d.Measure)+":", d)
			if d.Measure == compare.Completion && d.Verdict == compare.VerdictMore {
				passed = false
			}
		}
		return passed
	}
	dir, err := os.MkdirTemp("", "gate-*")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Println(gate("gate", ordersFile(dir, "before.json", 50), ordersFile(dir, "after.json", 53)))
	// Output:
	// caller wait: 3.00 ms more (95 % interval: 3.00 ms to 3.00 ms, 8 pairs)
	// completion: 3.00 ms more (95 % interval: 3.00 ms to 3.00 ms, 8 pairs)
	// tail: ~ no difference (8 pairs)
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
		log.Fatal(err)
	}
	return file
}
