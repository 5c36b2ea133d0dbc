package tracecontext_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"tracelab/tracecontext"
)

func Example() {
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	p := tracecontext.New(tracecontext.WithLogger(logger))

	good := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "Tracestate": {"rojo=1", "congo=2"}}
	sc := trace.SpanContextFromContext(p.Extract(context.Background(), propagation.HeaderCarrier(good)))
	fmt.Println(sc.TraceID(), sc.TraceState())

	doubled := http.Header{"Traceparent": {good.Get("traceparent"), good.Get("traceparent")}}
	sc = trace.SpanContextFromContext(p.Extract(context.Background(), propagation.HeaderCarrier(doubled)))
	fmt.Println(sc.IsValid(), p.Refusals().Counts())
	// Output:
	// 0af7651916cd43dd8448eb211c80319c rojo=1,congo=2
	// level=WARN msg="refused trace context or baggage" traceparent_doubled=1
	// false map[traceparent_doubled:1]
}

// A tracestate key of level 2 is not in the TraceState of the span context. It
// goes on all the same, behind what is added.
func ExampleTraceContext() {
	p := tracecontext.TraceContext{}
	in := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "Tracestate": {"rojo=1,0congo=2"}}
	ctx := p.Extract(context.Background(), propagation.HeaderCarrier(in))
	sc := trace.SpanContextFromContext(ctx)
	fmt.Println(sc.TraceState())

	state, err := sc.TraceState().Insert("ours", "3")
	if err != nil {
		fmt.Println(err)
	}
	out := http.Header{}
	p.Inject(trace.ContextWithSpanContext(ctx, sc.WithTraceState(state)), propagation.HeaderCarrier(out))
	fmt.Println(out.Get("tracestate"))
	// Output:
	// rojo=1
	// ours=3,rojo=1,0congo=2
}

// Members that are broken are dropped and counted. The others are kept.
func ExampleBaggage() {
	p := tracecontext.Baggage{Refusals: &tracecontext.Refusals{}}
	in := http.Header{"Baggage": {"tenant=acme%20ltd,broken,mood=%ff"}}
	bag := baggage.FromContext(p.Extract(context.Background(), propagation.HeaderCarrier(in)))
	fmt.Printf("%q %q\n", bag.Member("tenant").Value(), bag.Member("mood").Value())
	fmt.Println(p.Refusals.Counts())
	// Output:
	// "acme ltd" "�"
	// map[baggage_member:1]
}
