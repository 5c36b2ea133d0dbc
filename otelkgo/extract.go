package otelkgo

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"
)

// The headers of the W3C that this package looks at itself.
const (
	traceparentHeader = "traceparent"
	baggageHeader     = "baggage"
)

// lastCarrier is a RecordCarrier without Values: of several headers with one key
// the last counts. Stock propagators take several times as long when they are
// offered all values.
type lastCarrier struct{ carrier RecordCarrier }

func (c lastCarrier) Get(key string) string { return c.carrier.Get(key) }
func (c lastCarrier) Set(key, value string) { c.carrier.Set(key, value) }
func (c lastCarrier) Keys() []string        { return c.carrier.Keys() }

// GetBytes is Get without a copy. The propagator of tracecontext reads like this.
func (c lastCarrier) GetBytes(key string) []byte { return c.carrier.last(key) }

// lastLinkCarrier is a lastCarrier that hides the baggage: a link needs none,
// and reading it costs more than the link.
type lastLinkCarrier struct{ lastCarrier }

func (c lastLinkCarrier) Get(key string) string { return string(c.GetBytes(key)) }

func (c lastLinkCarrier) GetBytes(key string) []byte {
	if key == baggageHeader {
		return nil
	}
	return c.lastCarrier.GetBytes(key)
}

// linkCarrier is a RecordCarrier that hides the baggage.
type linkCarrier struct{ RecordCarrier }

func (c linkCarrier) Get(key string) string {
	if key == baggageHeader {
		return ""
	}
	return c.RecordCarrier.Get(key)
}

func (c linkCarrier) Values(key string) []string {
	if key == baggageHeader {
		return nil
	}
	return c.RecordCarrier.Values(key)
}

// extract reads the context of r into ctx. It returns the number of traceparents
// when there is more than one.
func (in *Instrumentation) extract(ctx context.Context, r *kgo.Record) (_ context.Context, doubled int) {
	doubled, all := in.inspect(r)
	if all {
		return in.propagator.Extract(ctx, RecordCarrier{r}), doubled
	}
	return in.propagator.Extract(ctx, lastCarrier{RecordCarrier{r}}), doubled
}

// ExtractRecord returns ctx with the creation context of r as its remote span
// context, and with the baggage of r. It starts no span. Within a batch it lets
// a handler work on one record under that record's own baggage, and link to it.
func (in *Instrumentation) ExtractRecord(ctx context.Context, r *kgo.Record) context.Context {
	ctx = isolated(orBackground(ctx))
	if r == nil {
		return ctx
	}
	ctx, _ = in.usable().extract(ctx, r)
	return ctx
}

// extractLink returns the creation context of r, and the number of traceparents
// when there is more than one.
func (in *Instrumentation) extractLink(r *kgo.Record) (creation trace.SpanContext, doubled int) {
	doubled, all := in.inspect(r)
	ctx := context.Background()
	if all {
		ctx = in.propagator.Extract(ctx, linkCarrier{RecordCarrier{r}})
	} else {
		ctx = in.propagator.Extract(ctx, lastLinkCarrier{lastCarrier{RecordCarrier{r}}})
	}
	return trace.SpanContextFromContext(ctx), doubled
}

// inspect returns the number of traceparents when there is more than one, and
// whether the propagator is to see all values of each header: several tracestate
// or baggage headers make one value. With a doubled traceparent the last header
// counts, of every name: the earlier ones are another instrumentation's context.
func (in *Instrumentation) inspect(r *kgo.Record) (doubled int, all bool) {
	if len(r.Headers) < 2 {
		return 0, false
	}
	for _, f := range in.fields {
		n := 0
		for i := range r.Headers {
			if h := &r.Headers[i]; is(h, f) && h.Value != nil {
				n++
			}
		}
		if n < 2 {
			continue
		}
		all = true
		if f == traceparentHeader {
			doubled = n
		}
	}
	return doubled, all && (doubled == 0 || in.strictHeaders)
}
