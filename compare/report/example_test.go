package report_test

import (
	"os"

	"tracelab/compare"
	"tracelab/compare/report"
)

// A request that publishes a message and answers; the work behind the message goes on.
func ExampleBars() {
	const ms = 1_000_000
	trace := compare.TraceID{1}
	topic := []compare.Attribute{{Key: "messaging.destination.name", Value: compare.String("orders")}}
	set := compare.Normalise([]compare.Span{
		{Trace: trace, ID: compare.SpanID{1}, Kind: compare.Server, Service: "shop", Name: "POST /orders", Start: 0, End: 50 * ms},
		{Trace: trace, ID: compare.SpanID{2}, Parent: compare.SpanID{1}, Kind: compare.Producer, Service: "shop", Name: "send orders", Start: 10 * ms, End: 20 * ms, Attributes: topic},
		{Trace: trace, ID: compare.SpanID{3}, Parent: compare.SpanID{2}, Kind: compare.Consumer, Service: "billing", Name: "process orders", Start: 60 * ms, End: 160 * ms, Attributes: topic},
	})
	j := set.Journeys()[0]
	if err := report.Bars(os.Stdout, "order 1", set, j.CompletionPath(), 80, report.Style{}); err != nil {
		panic(err)
	}
	// Output:
	// order 1  160 ms in 4 segments
	//                        0               80.0 ms         160 ms    start  duration
	// shop    POST /orders   ██                                          0 s   10.0 ms
	// shop    send orders      ███                                   10.0 ms   10.0 ms
	// billing queue orders        ░░░░░░░░░                          20.0 ms   40.0 ms
	// billing process orders               ████████████████████████  60.0 ms    100 ms
	// █ work   ░ in a queue
}
