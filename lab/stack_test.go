//go:build stack

package lab_test

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// kafkaAddress is a real Kafka's. A test that needs one fails without it: a skip would hide that nothing was tested.
func kafkaAddress(t *testing.T) string {
	t.Helper()
	address := os.Getenv("KAFKA_ADDR")
	if address == "" {
		t.Fatal("KAFKA_ADDR is empty: start a Kafka with `task kafka` and set KAFKA_ADDR to the address that it prints")
	}
	conn, err := net.DialTimeout("tcp", address, 3*time.Second)
	if err != nil {
		t.Fatalf("no Kafka answers at KAFKA_ADDR=%s: start one with `task kafka`: %v", address, err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

// leftOvers lists the topics and groups of a run that are on the broker.
func leftOvers(t *testing.T, address string, result *lab.Result) (topics, groups []string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	admin := kadm.NewClient(client)
	allTopics, err := admin.ListTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	allGroups, err := admin.ListGroups(ctx)
	if err != nil {
		t.Fatal(err)
	}
	others := func(name string) bool { return !strings.HasPrefix(name, topicPrefix(result)) }
	return slices.DeleteFunc(allTopics.Names(), others), slices.DeleteFunc(allGroups.Groups(), others)
}

func runOn(t *testing.T, kafka []string, relationName string, keep bool) *lab.Result {
	t.Helper()
	result, err := lab.Run(t.Context(), lab.Config{
		Orders: 5, WarmUp: 1, Seed: 1, Relation: relation(relationName), Kafka: kafka, Keep: keep, Out: t.TempDir(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, result)
	if len(result.Problems) > 0 {
		t.Errorf("kafka %q: problems %q", kafka, result.Problems)
	}
	return result
}

func TestApacheKafkaGivesTheSameStructures(t *testing.T) {
	address := kafkaAddress(t)
	for _, name := range []string{"both", "parent", "link"} {
		t.Run(name, func(t *testing.T) {
			embedded, real := runOn(t, nil, name, false), runOn(t, []string{address}, name, false)
			if diff := cmp.Diff(structures(t, embedded, ""), structures(t, real, topicPrefix(real))); diff != "" {
				t.Errorf("-embedded +apache:\n%s", diff)
			}
			if topics, groups := leftOvers(t, address, real); len(topics)+len(groups) > 0 {
				t.Errorf("left on the broker: topics %q, groups %q", topics, groups)
			}
		})
	}
}

func TestKeepLeavesTopicsAndGroups(t *testing.T) {
	address := kafkaAddress(t)
	result := runOn(t, []string{address}, "both", true)
	topics, groups := leftOvers(t, address, result)
	t.Cleanup(func() {
		config := services.Config{Network: services.TCP(), Kafka: []string{address}, Prefix: topicPrefix(result)}
		if err := services.RemoveTopics(context.Background(), config); err != nil {
			t.Error(err)
		}
	})
	if want := len(flows.Order().Topics()); len(topics) != want {
		t.Errorf("topics %q, want %d", topics, want)
	}
	if want := len(flows.Order().Services()) - 1; len(groups) != want {
		t.Errorf("groups %q, want %d: all services but the gateway", groups, want)
	}
}
