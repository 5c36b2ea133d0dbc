package lint_test

import (
	"fmt"
	"log"
	"os"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/lint"
)

// A service consumed a message without its context.
func Example() {
	set := journey.NewSet([]journey.Span{{
		Trace: journey.TraceID{1}, ID: journey.SpanID{1}, Start: 1_000, End: 2_000, Kind: journey.KindConsumer,
		Service: "shipping", Name: "process orders",
		Attributes: []journey.Attribute{
			{Key: "messaging.system", Value: journey.StringValue("rabbitmq")},
			{Key: "messaging.operation.name", Value: journey.StringValue("process")},
			{Key: "messaging.operation.type", Value: journey.StringValue("process")},
			{Key: "messaging.destination.name", Value: journey.StringValue("orders")},
		},
	}})
	result := lint.Check(set)
	if err := result.WriteText(os.Stdout, format.Style{}, 0); err != nil {
		fmt.Println(err)
	}
	fmt.Println("exit status 1:", result.Counts.AtLeast(lint.LevelWarning) > 0)
	// Output:
	// P03 error: 1 × A span that consumes a message is a root without any link: the context was lost at
	//   the hop.
	//   process orders of shipping is a root and has no link: the context of its message was lost at the
	//     hop
	//       trace 01000000000000000000000000000000 span 0100000000000000
	//   fix: inject the context into the message's headers when it is sent, and extract it before the
	//     process span starts
	//
	// 1 error, 0 warnings, 0 advice
	// exit status 1: true
}

// A team's own rule, beside those of the package: spans of a payment name the currency.
func ExampleWithRules() {
	currency := lint.Rule{
		ID: "X01", Level: lint.LevelWarning,
		Finds: "A payment does not say in which currency it is.",
		Fix:   "set payment.currency when the span starts",
		Check: lint.EachSpan(func(p *lint.Pass, i journey.Index) {
			span := p.Set().Span(i)
			if _, ok := span.Attr("payment.currency"); !ok && span.Name == "payment.Charge" {
				p.Report(i, span.Name+" of "+span.Service+" has no payment.currency")
			}
		}),
	}
	rules, err := lint.Without(lint.Rules(), "P02", "N01")
	if err != nil {
		log.Fatal(err)
	}
	set := journey.NewSet([]journey.Span{{
		Trace: journey.TraceID{1}, ID: journey.SpanID{1}, Start: 1_000, End: 2_000, Service: "payment", Name: "payment.Charge",
	}})
	result := lint.Check(set, lint.WithRules(append(rules, currency)...))
	for _, f := range result.Findings {
		fmt.Println(f.Level, f.Rule, f.Text)
	}
	// Output:
	// warning X01 payment.Charge of payment has no payment.currency
}
