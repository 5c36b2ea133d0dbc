package jaeger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey"
	"tracelab/journey/source"
)

// overGRPC asks Jaeger's api/v3 over gRPC, by default on port 16685.
//
// No Go module has the client that is generated from Jaeger's query_service.proto. The two requests have few fields, and
// the answers are OTLP, so this file encodes and decodes them itself.
type overGRPC struct {
	options
	conn  grpc.ClientConnInterface
	owned io.Closer // the connection, unless it is the caller's
}

// Close closes the connection that Open made.
func (g overGRPC) Close() error {
	if g.owned == nil {
		return nil
	}
	return g.owned.Close()
}

const service = "/jaeger.api_v3.QueryService/"

// Trace returns the spans of a trace as they are stored, without Jaeger's corrections for clock skew.
func (g overGRPC) Trace(ctx context.Context, id journey.TraceID) (source.Answer, error) {
	request := stringField(nil, 1, id.String())
	request = protowire.AppendVarint(protowire.AppendTag(request, 4, protowire.VarintType), 1) // raw_traces
	result, err := g.call(ctx, "GetTrace", request, nil)
	if err != nil {
		return result, err
	}
	return only(result, id, "GetTrace "+id.String())
}

// Search returns the traces with a span that matches the query.
func (g overGRPC) Search(ctx context.Context, q source.Query) (source.Answer, error) {
	return g.search(ctx, q, nil)
}

// SearchOTLP is Search with the answer as OTLP.
func (g overGRPC) SearchOTLP(ctx context.Context, q source.Query) (OTLP, error) {
	return collect(ctx, q, g.search)
}

func (g overGRPC) search(ctx context.Context, q source.Query, keep keep) (source.Answer, error) {
	if err := checkQuery(q, "FindTraces"); err != nil {
		return source.Answer{}, err
	}
	result, err := g.call(ctx, "FindTraces", bytesField(nil, 1, queryParameters(q)), keep)
	if kindOf(err) == NotStored {
		return source.Answer{}, nil
	}
	if err != nil {
		return result, err
	}
	return matching(result, q, "FindTraces", false), nil
}

// queryParameters encodes the message TraceQueryParameters of query_service.proto.
func queryParameters(q source.Query) []byte {
	b := stringField(nil, 1, q.Service)
	b = stringField(b, 2, q.Operation)
	for key, value := range q.Attributes {
		b = bytesField(b, 3, stringField(stringField(nil, 1, key), 2, value))
	}
	b = bytesField(b, 4, seconds(q.Start.Unix(), int64(q.Start.Nanosecond())))
	b = bytesField(b, 5, seconds(q.End.Unix(), int64(q.End.Nanosecond())))
	if q.MinDuration > 0 {
		b = bytesField(b, 6, seconds(int64(q.MinDuration/time.Second), int64(q.MinDuration%time.Second)))
	}
	if q.MaxDuration > 0 {
		b = bytesField(b, 7, seconds(int64(q.MaxDuration/time.Second), int64(q.MaxDuration%time.Second)))
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 8, protowire.VarintType), uint64(limitOf(q)))
	return protowire.AppendVarint(protowire.AppendTag(b, 9, protowire.VarintType), 1) // raw_traces
}

// seconds encodes google.protobuf.Timestamp and Duration, which look the same.
func seconds(s, nanos int64) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(s))
	return protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(nanos))
}

func stringField(b []byte, number protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return bytesField(b, number, []byte(s))
}

func bytesField(b []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), value)
}

// call asks one question, and reads the stream of messages that answers it.
func (g overGRPC) call(ctx context.Context, method string, request []byte, keep keep) (source.Answer, error) {
	asked, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	stream, err := g.conn.NewStream(asked, &grpc.StreamDesc{ServerStreams: true}, service+method, grpc.ForceCodecV2(codec{}), grpc.MaxCallRecvMsgSize(g.limit))
	if err == nil {
		err = stream.SendMsg(request)
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil && !errors.Is(err, io.EOF) { // the reason of an io.EOF comes with the answer
		return source.Answer{}, g.unanswered(ctx, method, err)
	}
	var result source.Answer
	for number, size := 1, 0; ; number++ {
		var message []byte
		if err := stream.RecvMsg(&message); errors.Is(err, io.EOF) {
			return result, nil
		} else if err != nil {
			return result, g.unanswered(ctx, method, err)
		}
		if size += len(message); size > g.limit {
			return result, &Error{Damaged, method, fmt.Errorf("the answer is longer than %d bytes: ask for less", g.limit)}
		}
		spans, err := source.FromOTLP(message, fmt.Sprintf("Jaeger's %s, message %d", method, number))
		if err == nil {
			err = keep.protobuf(message)
		}
		if err != nil {
			return result, &Error{Damaged, method, err}
		}
		result.Spans = append(result.Spans, spans...)
	}
}

func (g overGRPC) unanswered(ctx context.Context, method string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", method, context.Canceled)
	}
	kind := Failed
	switch status.Code(err) {
	case codes.Unavailable:
		kind = Down
		if strings.Contains(err.Error(), "server preface") { // the only sign of a server that does not speak HTTP/2
			kind = NotJaeger
		}
	case codes.DeadlineExceeded:
		kind = Slow
	case codes.NotFound:
		kind = NotStored
	case codes.Unimplemented:
		kind = NotJaeger
	case codes.Unauthenticated, codes.PermissionDenied:
		kind = Refused
	case codes.InvalidArgument, codes.OutOfRange:
		kind = BadQuery
	case codes.ResourceExhausted, codes.DataLoss:
		kind = Damaged
	}
	return &Error{kind, method, err}
}

// codec passes messages on as bytes.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	message, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("encode %T: only bytes are sent", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(message)}, nil
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	message, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("decode into %T: only bytes are received", v)
	}
	*message = data.Materialize()
	return nil
}
