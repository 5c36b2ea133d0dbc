package journey_test

import (
	"fmt"
	"time"

	"tracelab/journey"
)

// A request publishes a message and answers after 50 ms; a consumer in another trace works on it until 160 ms.
func Example() {
	ms := func(n int64) int64 { return n * int64(time.Millisecond) }
	web := journey.TraceID{1}
	worker := journey.TraceID{2}
	spans := []journey.Span{
		{Trace: web, ID: journey.SpanID{1}, Kind: journey.KindServer, Service: "shop", Name: "POST /orders", Start: ms(0), End: ms(50)},
		{Trace: web, ID: journey.SpanID{2}, Parent: journey.SpanID{1}, Kind: journey.KindProducer, Service: "shop", Name: "send orders", Start: ms(10), End: ms(20)},
		{Trace: worker, ID: journey.SpanID{3}, Kind: journey.KindConsumer, Service: "billing", Name: "process orders", Start: ms(60), End: ms(160),
			Links: []journey.Link{{Ref: journey.Ref{Trace: web, Span: journey.SpanID{2}}}}},
	}
	set := journey.NewSet(spans)
	j := set.Journeys()[0]
	wait, _ := j.CallerWait()
	fmt.Println("caller wait", time.Duration(wait), "completion", time.Duration(j.Completion()))
	for _, g := range j.CompletionPath() {
		what := set.Span(g.Span).Name
		if g.Wait {
			what = "wait: " + g.Class.String()
		}
		fmt.Println(time.Duration(g.Start), what, time.Duration(g.Duration()))
	}
	// Output:
	// caller wait 50ms completion 160ms
	// 0s POST /orders 10ms
	// 10ms send orders 10ms
	// 20ms wait: message 40ms
	// 60ms process orders 100ms
}

func ExamplePaired() {
	grpc := []float64{50, 52, 49, 51, 55, 50, 53}
	kafka := []float64{12, 13, 11, 14, 12, 12, 15}
	d := journey.Paired(grpc, kafka)
	fmt.Printf("%+.0f ms, between %+.0f and %+.0f: %s\n", *d.Delta, *d.Low, *d.High, d.Verdict)
	// Output:
	// -38 ms, between -43 and -37: less
}

// A shop calls billing and waits; after a change it sends a message and answers.
func ExampleNodes() {
	order := func(end int64, hop journey.Kind, hopEnd int64, handle journey.Kind, from, to int64) journey.Group {
		trace := journey.TraceID{1}
		return journey.Group{Journeys: journey.NewSet([]journey.Span{
			{Trace: trace, ID: journey.SpanID{1}, Kind: journey.KindServer, Service: "shop", Name: "POST /orders", Start: 0, End: end},
			{Trace: trace, ID: journey.SpanID{2}, Parent: journey.SpanID{1}, Kind: hop, Service: "shop", Name: "bill", Start: 10, End: hopEnd},
			{Trace: trace, ID: journey.SpanID{3}, Parent: journey.SpanID{2}, Kind: handle, Service: "billing", Name: "bill", Start: from, End: to},
			{Trace: trace, ID: journey.SpanID{4}, Parent: journey.SpanID{3}, Kind: journey.KindInternal, Service: "billing", Name: "charge", Start: from, End: to},
		}).Journeys()}
	}
	before := order(100, journey.KindClient, 91, journey.KindServer, 12, 90)
	after := order(30, journey.KindProducer, 20, journey.KindConsumer, 25, 103)
	for _, n := range journey.Nodes([]journey.Group{before, after}, nil) {
		fmt.Printf("%s: %s of %s (%s, then %s)\n", n.Change, n.Name, n.Service, n.Groups[0].Kind, n.Groups[1].Kind)
	}
	// Output:
	// same: POST /orders of shop (entry, then entry)
	// carrier: bill of billing (call, then consume)
	// added: bill of shop (produce, then produce)
	// same: charge of billing (internal, then internal)
}
