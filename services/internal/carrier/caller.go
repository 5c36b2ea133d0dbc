// Package carrier is how an order travels between services. Here is what all carriers share: failures, limits, the work
// of a consumer, and the seam to a broker (broker.go). The carriers themselves are the folders below: http and grpc for
// calls, kafka for messages, each with the stock instrumentation around it. Above them nobody knows what a header, a
// status code, a partition or an offset is.
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
