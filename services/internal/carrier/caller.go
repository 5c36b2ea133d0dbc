package carrier

import (
	"context"

	"google.golang.org/protobuf/proto"
)

// Caller asks a service to do what a verb says and waits for its answer. A failure of the other side is a *Failed,
// whether it travelled as a problem document or as a gRPC status.
type Caller interface {
	Call(ctx context.Context, service, verb string, in, out proto.Message) error
}

var (
	_ Caller = (*HTTPClient)(nil)
	_ Caller = (*GRPCClient)(nil)
)
