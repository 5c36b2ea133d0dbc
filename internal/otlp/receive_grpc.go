package otlp

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // exporters may compress
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

// newGRPCServer makes a server whose one method gets a request as bytes, for take to check before anything decodes it. The
// method is declared as a stream, which looks the same to a client: gRPC reads the whole message of a plain method into
// memory before its handler runs, however many requests there are.
func (r *Receiver) newGRPCServer() *grpc.Server {
	server := grpc.NewServer(grpc.ForceServerCodecV2(bytesCodec{}), grpc.MaxRecvMsgSize(maxBody), grpc.MaxHeaderListSize(maxHeaders),
		grpc.InitialWindowSize(64<<10), grpc.InitialConnWindowSize(1<<20), grpc.MaxConcurrentStreams(maxReading),
		grpc.ConnectionTimeout(r.timeouts.read/2), grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: r.timeouts.idle}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.trace.v1.TraceService",
		Streams: []grpc.StreamDesc{{StreamName: "Export", ClientStreams: true, ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			return r.exportGRPC(stream)
		}}},
	}, nil)
	return server
}

// exportGRPC takes spans over gRPC.
func (r *Receiver) exportGRPC(stream grpc.ServerStream) error {
	release, err := r.acquire(stream.Context(), r.reading)
	if err != nil {
		return err
	}
	defer release()
	body, err := readMessage(stream, r.timeouts.read)
	if err != nil {
		return err
	}
	if err := r.takeProtobuf(stream.Context(), body); err != nil {
		return err
	}
	answer, err := ptraceotlp.NewExportResponse().MarshalProto()
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return stream.SendMsg(answer)
}

// readMessage reads the one message of a request. After a timeout, its goroutine ends when the handler does.
func readMessage(stream grpc.ServerStream, timeout time.Duration) ([]byte, error) {
	type message struct {
		body []byte
		err  error
	}
	received := make(chan message, 1)
	go func() {
		var m message
		m.err = stream.RecvMsg(&m.body)
		received <- m
	}()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case m := <-received:
		return m.body, m.err
	case <-timer.C:
		return nil, status.Errorf(codes.DeadlineExceeded, "the request has not come within %v", timeout)
	}
}

// bytesCodec hands messages over as they are.
type bytesCodec struct{}

// Name returns the name that clients ask for.
func (bytesCodec) Name() string { return "proto" }

// Marshal takes []byte.
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("a message of type %T: want bytes", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

// Unmarshal takes *[]byte.
func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("a message of type %T: want bytes", v)
	}
	*b = data.Materialize()
	return nil
}
