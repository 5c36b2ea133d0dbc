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
	fmt.Println("caller wait", wait, "completion", j.Completion())
	for _, g := range j.CompletionPath() {
		what := set.Span(g.Span).Name
		if g.Wait {
			what = "wait: " + g.Class.String()
		}
		fmt.Println(g.Start, what, g.Duration())
	}
	// Output:
	// caller wait 50ms completion 160ms
	// 0s POST /orders 10ms
	// 10ms send orders 10ms
	// 20ms wait: message 40ms
	// 60ms process orders 100ms
}
