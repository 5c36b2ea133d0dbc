package compare_test

import (
	"fmt"

	"tracelab/journey"
	"tracelab/journey/compare"
)

func ExamplePaired() {
	grpc := []float64{50, 52, 49, 51, 55, 50, 53}
	kafka := []float64{12, 13, 11, 14, 12, 12, 15}
	d := compare.Paired(grpc, kafka)
	fmt.Printf("%+.0f ms, between %+.0f and %+.0f: %s\n", *d.Delta, *d.Low, *d.High, d.Verdict)
	// Output:
	// -38 ms, between -43 and -37: less
}

// A shop calls billing and waits; after a change it sends a message and answers.
func ExampleNodes() {
	order := func(end int64, hop journey.Kind, hopEnd int64, handle journey.Kind, from, to int64) compare.Group {
		trace := journey.TraceID{1}
		return compare.Group{Journeys: journey.NewSet([]journey.Span{
			{Trace: trace, ID: journey.SpanID{1}, Kind: journey.KindServer, Service: "shop", Name: "POST /orders", Start: 0, End: end},
			{Trace: trace, ID: journey.SpanID{2}, Parent: journey.SpanID{1}, Kind: hop, Service: "shop", Name: "bill", Start: 10, End: hopEnd},
			{Trace: trace, ID: journey.SpanID{3}, Parent: journey.SpanID{2}, Kind: handle, Service: "billing", Name: "bill", Start: from, End: to},
			{Trace: trace, ID: journey.SpanID{4}, Parent: journey.SpanID{3}, Kind: journey.KindInternal, Service: "billing", Name: "charge", Start: from, End: to},
		}).Journeys()}
	}
	before := order(100, journey.KindClient, 91, journey.KindServer, 12, 90)
	after := order(30, journey.KindProducer, 20, journey.KindConsumer, 25, 103)
	for _, n := range compare.Nodes([]compare.Group{before, after}) {
		fmt.Printf("%s: %s of %s (%s, then %s)\n", n.Change, n.Name, n.Service, n.Groups[0].Kind, n.Groups[1].Kind)
	}
	// Output:
	// same: POST /orders of shop (entry, then entry)
	// carrier: bill of billing (call, then consume)
	// added: bill of shop (produce, then produce)
	// same: charge of billing (internal, then internal)
}

// How often an order changes services, beside the measures of the package.
func ExampleWithMeasures() {
	order := func(services ...string) compare.Group {
		spans := make([]journey.Span, len(services))
		for i, service := range services {
			spans[i] = journey.Span{Trace: journey.TraceID{1}, ID: journey.SpanID{byte(i + 1)}, Service: service, Name: "step", Start: int64(i), End: 100 - int64(i)}
			if i > 0 {
				spans[i].Parent = spans[i-1].ID
			}
		}
		return compare.Group{Name: services[0], Journeys: journey.NewSet(spans).Journeys()}
	}
	groups := []compare.Group{order("web", "orders"), order("app", "gateway", "orders", "stock")}
	hops := compare.Measure{Name: "hops", Of: func(j *journey.Journey) (float64, bool) { return float64(j.Depth().Hops), true }}
	result := compare.Groups(groups, compare.WithMeasures(append(compare.Measures(), hops)...))
	for _, g := range result.Groups {
		fmt.Println(g.Name, g.Measures[len(g.Measures)-1])
	}
	// Output:
	// web 1
	// app 3
}

// Which journeys are in no figure, and why.
func ExampleGroup_Whole() {
	order := journey.Span{Trace: journey.TraceID{1}, ID: journey.SpanID{1}, Kind: journey.KindServer, Service: "shop", Name: "POST /orders", End: 5e6}
	lost := journey.Span{Trace: journey.TraceID{1}, ID: journey.SpanID{2}, Parent: journey.SpanID{9}, Service: "shop", Name: "pay", End: 4e6}
	set := journey.NewSet([]journey.Span{order, lost})
	whole, left := compare.Group{Name: "today", Journeys: set.Journeys()}.Whole()
	fmt.Println(len(whole.Journeys), "whole")
	for _, x := range left {
		fmt.Println(x.Journeys, x.Reason)
	}
	// Output:
	// 0 whole
	// 1 the parent of pay of shop is missing (P01)
}
