// Package carrier carries orders between services. It has what all carriers share: failures, limits, the work of a consumer,
// and the interface of a broker (broker.go). The carriers themselves are in the folders below: http and grpc for calls, kafka
// and rabbitmq for messages, each with the stock instrumentation around it. Nothing above them knows of headers, status codes, partitions
// or offsets.
package carrier

import (
	"context"

	"google.golang.org/protobuf/proto"
)

// Caller asks a service to do what a verb says and waits for its answer. A failure of the other side is a *Failed,
// whether it traveled as a problem document or as a gRPC status.
type Caller interface {
	Call(ctx context.Context, service, verb string, in, out proto.Message) error
}
