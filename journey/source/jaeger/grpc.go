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

// GRPC asks Jaeger's api/v3 over gRPC, by default on port 16685. It is a source.Store.
//
// No Go module has the client that is generated from Jaeger's query_service.proto. The two questions have few fields, and
// the answers are OTLP, so they are written and read here.
type GRPC struct {
	Conn    grpc.ClientConnInterface
	Timeout time.Duration // of one question with its answer; 0 means DefaultTimeout
	Limit   int           // how long a message may be, in bytes; 0 means source.DefaultLimit
	Keep    Keep          // of what searches find; nil means nobody wants it
}

var _ source.Store = GRPC{}

const service = "/jaeger.api_v3.QueryService/"

// Trace returns the spans of a trace as they are stored, without Jaeger's corrections for clock skew.
func (g GRPC) Trace(ctx context.Context, id journey.TraceID) (source.Result, error) {
	g.Keep = nil
	request := stringField(nil, 1, id.String())
	request = protowire.AppendVarint(protowire.AppendTag(request, 4, protowire.VarintType), 1) // raw_traces
	result, err := g.call(ctx, "GetTrace", request)
	if err != nil {
		return result, err
	}
	return only(result, id, "GetTrace "+id.String())
}

// Search returns the traces with a span that matches the query.
func (g GRPC) Search(ctx context.Context, q source.Query) (source.Result, error) {
	if err := checkQuery(q, "FindTraces"); err != nil {
		return source.Result{}, err
	}
	result, err := g.call(ctx, "FindTraces", bytesField(nil, 1, queryParameters(q)))
	if kindOf(err) == NotStored {
		return source.Result{}, nil
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
	if q.Shortest > 0 {
		b = bytesField(b, 6, seconds(int64(q.Shortest/time.Second), int64(q.Shortest%time.Second)))
	}
	if q.Longest > 0 {
		b = bytesField(b, 7, seconds(int64(q.Longest/time.Second), int64(q.Longest%time.Second)))
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
func (g GRPC) call(ctx context.Context, method string, request []byte) (source.Result, error) {
	timeout, limit := g.Timeout, g.Limit
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	if limit == 0 {
		limit = source.DefaultLimit
	}
	asked, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stream, err := g.Conn.NewStream(asked, &grpc.StreamDesc{ServerStreams: true}, service+method, grpc.ForceCodecV2(codec{}), grpc.MaxCallRecvMsgSize(limit))
	if err == nil {
		err = stream.SendMsg(request)
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil && !errors.Is(err, io.EOF) { // the reason of an io.EOF comes with the answer
		return source.Result{}, g.unanswered(ctx, method, err)
	}
	var result source.Result
	for {
		var message []byte
		if err := stream.RecvMsg(&message); errors.Is(err, io.EOF) {
			return result, nil
		} else if err != nil {
			return result, g.unanswered(ctx, method, err)
		}
		result.Lines++
		spans, err := source.FromOTLP(message, fmt.Sprintf("Jaeger's %s, message %d", method, result.Lines))
		if err == nil {
			err = g.Keep.protobuf(message)
		}
		if err != nil {
			return result, &Error{Damaged, method, err}
		}
		result.Spans = append(result.Spans, spans...)
	}
}

func (g GRPC) unanswered(ctx context.Context, method string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", method, context.Canceled)
	}
	kind := Failed
	switch status.Code(err) {
	case codes.Unavailable:
		kind = Down
		if strings.Contains(err.Error(), "server preface") { // there is no other sign of a server that does not speak HTTP/2
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
