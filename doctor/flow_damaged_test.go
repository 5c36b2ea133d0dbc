package doctor

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/broker/brokertest"
	"tracelab/services/flows"
)

// TestDamagedBatchesBesideAnOrder: what somebody else has broken on the topics hides no record of the order, also with it at the end.
func TestDamagedBatchesBesideAnOrder(t *testing.T) {
	topics := flows.Order().Topics()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, topics...))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	k, err := openKafkaPart(t.Context(), Config{Kafka: cluster.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer k.client.Close()
	from, err := k.ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	broker := kgo.SeedBrokers(cluster.ListenAddrs()...)
	damage := func() {
		for _, topic := range topics {
			for id := range int32(2) {
				brokertest.Damage(t, topic, id, broker)
			}
		}
	}
	damage()
	for _, topic := range topics {
		if err := k.client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte("o-1")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	damage()
	records, err := k.recordsOf(t.Context(), "o-1", from)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		if n := len(records[topic]); n != 1 {
			t.Errorf("%d records of the order on %s, want 1", n, topic)
		}
	}
}
