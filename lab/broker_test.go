package lab_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/telemetry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/lab"
	"tracelab/services"
)

// The embedded broker holds everything in memory, so it has to forget: of a partition that was written 40 MiB, the
// oldest records are gone after the cleaner's next look.
func TestEmbeddedBrokerForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &virtualNetwork{}
		broker, err := lab.StartBroker(network.network())
		if err != nil {
			t.Fatal(err)
		}
		defer broker.Close()
		// The services make the topics, as they do in a run; analytics consumes none of the one that is filled.
		system, err := services.Start(t.Context(), services.Config{
			Services: []string{services.Analytics}, Kafka: broker.Addresses(), Workers: 1, Network: network.network(),
			Telemetry: telemetry.Config{Propagator: services.Propagator(nil)},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := system.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addresses()...), kgo.Dialer(network.DialContext),
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		const records = 80
		for range records {
			if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "order.placed", Value: make([]byte, 512<<10)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		starts, err := kadm.NewClient(client).ListStartOffsets(t.Context(), "order.placed")
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := starts.Lookup("order.placed", 0); !ok || start.Err != nil || start.Offset < 20 || start.Offset >= records {
			t.Errorf("partition 0 starts at %+v after %d records of 512 KiB, want the older half or so gone", start, records)
		}
	})
}
