package source_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"tracelab/journey"
	"tracelab/journey/source"
)

// The format is recognised by its content: here it is what the Jaeger UI downloads.
func ExampleRead() {
	const download = `{"data":[{"traceID":"4bf92f3577b34da6a3ce929d0e0e4736","spans":[
		{"traceID":"4bf92f3577b34da6a3ce929d0e0e4736","spanID":"00f067aa0ba902b7","operationName":"GET /orders","references":[],
		 "startTime":1750000000000000,"duration":51200,"tags":[{"key":"span.kind","type":"string","value":"server"}],"processID":"p1"}],
		"processes":{"p1":{"serviceName":"orders","tags":[]}}}]}`
	result, err := source.Read(strings.NewReader(download), "trace.json")
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range result.Warnings {
		what, _, _ := strings.Cut(w.Text, ",")
		fmt.Println(w.Rule, what)
	}
	for _, j := range journey.NewSet(result.Spans).Journeys() {
		wait, _ := j.CallerWait()
		fmt.Println(result.Spans[0].Service, result.Spans[0].Kind, wait)
	}
	// Output:
	// D11 trace.json: Jaeger JSON keeps times to the microsecond
	// orders SERVER 51.2ms
}

// empty is a store that has nothing. Package journey/source/jaeger has stores that do.
type empty struct{}

func (empty) Trace(context.Context, journey.TraceID) (source.Answer, error) {
	return source.Answer{}, source.ErrNotStored
}

func (empty) Search(context.Context, source.Query) (source.Answer, error) {
	return source.Answer{}, nil
}

// A consumer links to a trace that is not there; the store that is asked does not have it either.
func ExampleComplete() {
	consumer := journey.Span{Trace: journey.TraceID{1}, ID: journey.SpanID{2}, Name: "process order.placed", Kind: journey.KindConsumer,
		Links: []journey.Link{{Ref: journey.Ref{Trace: journey.TraceID{3}, Span: journey.SpanID{4}}}}}
	completion, err := source.Complete(context.Background(), []journey.Span{consumer}, empty{})
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range completion.Warnings {
		fmt.Println(w.Rule, w.Text)
	}
	// Output:
	// P04 1 targets of links are not stored, the first is 03000000000000000000000000000000/0400000000000000
}
