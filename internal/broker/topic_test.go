//go:build linux || darwin

package broker_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/broker"
)

func TestATopicIsMadeOnce(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	address := cluster.ListenAddrs()[0]
	for range 2 { // the second time it is there
		if err := broker.MakeTopic(t.Context(), address, "spans", 8, 5<<20); err != nil {
			t.Fatal(err)
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(t.Context(), "spans")
	if err != nil || len(topics["spans"].Partitions) != 8 {
		t.Errorf("%d partitions, want 8: %v", len(topics["spans"].Partitions), err)
	}
	if err := broker.MakeTopic(t.Context(), address, "none", 0, 5<<20); err == nil || !strings.Contains(err.Error(), "create topic none") {
		t.Errorf("error %v, want one that names the topic", err)
	}
}
