// Package grpcmeta carries trace context and baggage in gRPC metadata.
//
// Stock otelgrpc shows a propagator only the first value of a key. Of a doubled
// traceparent it follows the first; of several tracestate or baggage entries it
// loses all but the first. Put Handler before it. Handler joins the values of
// each key into one:
//
//	grpc.NewServer(
//		grpc.StatsHandler(grpcmeta.Handler{}),
//		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithPropagators(p))),
//	)
//
// gRPC calls its handlers in that order, and each gets the context of the one
// before.
package grpcmeta

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
)

// Carrier lets a propagator read and write gRPC metadata, all values of a key
// included. Keys are lower case in metadata; Carrier takes any case. A nil
// Carrier is empty, and stays empty.
type Carrier metadata.MD

var (
	_ propagation.TextMapCarrier = Carrier{}
	_ propagation.ValuesGetter   = Carrier{}
)

// Get returns the first value of key, or nothing.
func (c Carrier) Get(key string) string {
	if v := metadata.MD(c).Get(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Values returns all values of key.
func (c Carrier) Values(key string) []string { return metadata.MD(c).Get(key) }

// Set replaces all values of key by one.
func (c Carrier) Set(key, value string) {
	if c != nil {
		metadata.MD(c).Set(key, value)
	}
}

// Delete removes all values of key.
func (c Carrier) Delete(key string) { metadata.MD(c).Delete(key) }

// Keys returns all keys, in no order.
func (c Carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}

// Handler is a stats.Handler for servers. It joins the values of traceparent, of
// tracestate and of baggage with commas, each into one, and does nothing else.
// Joined, a doubled traceparent is not valid, so the propagator refuses and
// counts it, as it does for HTTP.
type Handler struct{}

var _ stats.Handler = Handler{}

// TagRPC returns ctx with the incoming values joined, or ctx itself when no key
// is doubled.
func (Handler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	var joined metadata.MD
	for _, key := range [...]string{"traceparent", "tracestate", "baggage"} {
		v := metadata.ValueFromIncomingContext(ctx, key)
		if len(v) < 2 {
			continue
		}
		if joined == nil {
			joined, _ = metadata.FromIncomingContext(ctx) // a copy
		}
		joined.Set(key, strings.Join(v, ","))
	}
	if joined == nil {
		return ctx
	}
	return metadata.NewIncomingContext(ctx, joined)
}

// HandleRPC does nothing.
func (Handler) HandleRPC(context.Context, stats.RPCStats) {}

// TagConn returns ctx.
func (Handler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn does nothing.
func (Handler) HandleConn(context.Context, stats.ConnStats) {}
