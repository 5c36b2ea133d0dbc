//go:build stack

package interop

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// newTopic makes a topic of one partition on the broker at KAFKA_ADDR, and returns both as environment variables. The test removes it.
func newTopic(t *testing.T) (topic string, env []string) {
	t.Helper()
	address := os.Getenv("KAFKA_ADDR")
	if address == "" {
		t.Fatal("KAFKA_ADDR is not set: give it the address of a Kafka broker")
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(client)
	topic = fmt.Sprintf("interop-%d", time.Now().UnixNano())
	if _, err := admin.CreateTopic(t.Context(), 1, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.DeleteTopic(context.Background(), topic); err != nil { // t.Context has ended
			t.Error(err)
		}
		admin.Close()
	})
	return topic, []string{"KAFKA_ADDR=" + address, "TOPIC=" + topic}
}
