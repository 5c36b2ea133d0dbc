package tracecontext_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"

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
