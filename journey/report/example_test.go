package report_test

import (
	"os"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/report"
)

// A request that publishes a message and answers; the work behind the message goes on.
func ExampleBars() {
	const ms = 1_000_000
	trace := journey.TraceID{1}
	topic := []journey.Attribute{{Key: "messaging.destination.name", Value: journey.StringValue("orders")}}
	set := journey.NewSet([]journey.Span{
		{Trace: trace, ID: journey.SpanID{1}, Kind: journey.KindServer, Service: "shop", Name: "POST /orders", Start: 0, End: 50 * ms},
		{Trace: trace, ID: journey.SpanID{2}, Parent: journey.SpanID{1}, Kind: journey.KindProducer, Service: "shop", Name: "send orders", Start: 10 * ms, End: 20 * ms, Attributes: topic},
		{Trace: trace, ID: journey.SpanID{3}, Parent: journey.SpanID{2}, Kind: journey.KindConsumer, Service: "billing", Name: "process orders", Start: 60 * ms, End: 160 * ms, Attributes: topic},
	})
	j := set.Journeys()[0]
	if err := (report.Bars{Title: "order 1", Set: set, Path: j.CompletionPath()}).WriteText(os.Stdout, format.Style{Width: 80}); err != nil {
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
