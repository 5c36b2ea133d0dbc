//go:build stack

package interop

import (
	"context"
	"testing"
	"time"

	"tracelab/internal/rabbitmq"
)

const (
	brokerStarts = 60 * time.Second
	brokerStops  = 20 * time.Second
)

// startRabbitMQ runs one node of Debian's RabbitMQ in a folder and on ports of its own, and returns its URL.
func startRabbitMQ(t *testing.T) string {
	t.Helper()
	node := rabbitmq.Node{Dir: t.TempDir(), Child: true}
	ctx, cancel := context.WithTimeout(t.Context(), brokerStarts)
	defer cancel()
	p, err := node.Start(ctx, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), brokerStops) // t.Context has ended
		defer cancel()
		if err := node.Stop(ctx, t.Output()); err != nil {
			t.Error(err)
		}
	})
	return p.URL()
}
