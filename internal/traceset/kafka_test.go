package traceset

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"tracelab/internal/broker/brokertest"
	"tracelab/internal/testmain"
	"tracelab/journey"
	"tracelab/watch/summary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

// TestADamagedBatchCostsItsSummariesAlone has batches that cannot be decompressed between summaries, at the end of one partition, and alone in another: all
// summaries are read, and what is damaged is said.
func TestADamagedBatchCostsItsSummariesAlone(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "journeys"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	broker := kgo.SeedBrokers(cluster.ListenAddrs()...)
	client, err := kgo.NewClient(broker, kgo.DisableClientMetrics(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	now := time.Now()
	for n := range 3 {
		s := summary.Summary{Schema: summary.Schema, Root: summary.Root{Trace: fmt.Sprintf("%032x", n+1), Span: "0000000000000001", Service: "shop"}, Outcome: summary.OK, Start: now.UnixNano()}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "journeys", Value: s.JSON()}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		brokertest.Damage(t, "journeys", 0, broker)
	}
	brokertest.Damage(t, "journeys", 1, broker)
	address := kafkaScheme + cluster.ListenAddrs()[0] + "/journeys?since=1h"
	parsed, err := parseKafkaAddress(address, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	group, warnings, err := Summaries{address, parsed}.Group(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := group.Baseline.Roots[0].Journeys; n != 3 {
		t.Errorf("%d journeys are read, want 3", n)
	}
	if len(warnings) != 1 || warnings[0].Rule != journey.RuleDamaged || !strings.Contains(warnings[0].Text, "4 of 7 records are no summaries") {
		t.Errorf("the warnings are %v, want one of 4 damaged records", warnings)
	}
}
