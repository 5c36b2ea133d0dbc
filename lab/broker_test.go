package lab_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/telemetry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/lab"
	"tracelab/services"
)

// embedded is the embedded broker with some services on it, and a client that fills partition 0 of a topic.
type embedded struct {
	*testing.T
	client *kgo.Client
	stop   func() // of the services
}

// onEmbedded starts them in virtual time. The services make the topics, as they do in a run.
func onEmbedded(t *testing.T, services []string, do func(embedded)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &virtualNetwork{}
		broker, err := lab.StartBroker(network.network())
		if err != nil {
			t.Fatal(err)
		}
		defer broker.Close()
		stop := startOn(t, broker, network, services)
		defer stop()
		client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addresses()...), kgo.Dialer(network.DialContext),
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		do(embedded{t, client, stop})
	})
}

// startOn starts services on a broker; stop ends them once.
func startOn(t *testing.T, broker *lab.Broker, network *virtualNetwork, names []string) (stop func()) {
	t.Helper()
	system, err := services.Start(t.Context(), services.Config{
		Services: names, Kafka: broker.Addresses(), Workers: 1, Network: network.network(),
		Telemetry: telemetry.Config{Propagator: services.Propagator(nil)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if err := system.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// fill writes records, lets a minute pass, and returns the offset of the first that is left.
func (e embedded) fill(topic string, records, size int) int {
	e.Helper()
	for range records {
		if err := e.client.ProduceSync(e.Context(), &kgo.Record{Topic: topic, Value: make([]byte, size)}).FirstErr(); err != nil {
			e.Fatal(err)
		}
	}
	time.Sleep(time.Minute)
	starts, err := kadm.NewClient(e.client).ListStartOffsets(e.Context(), topic)
	if err != nil {
		e.Fatal(err)
	}
	start, ok := starts.Lookup(topic, 0)
	if !ok || start.Err != nil {
		e.Fatalf("partition 0 starts at %+v", start)
	}
	return int(start.Offset)
}

// The embedded broker holds everything in memory, so it has to forget: of a partition that was written 40 MiB, the
// oldest records are gone after the cleaner's next look, whether they are consumed or not.
func TestEmbeddedBrokerForgets(t *testing.T) {
	onEmbedded(t, []string{"analytics"}, func(e embedded) {
		const records = 80
		if start := e.fill("order.placed", records, 512<<10); start < 20 || start >= records {
			t.Errorf("partition 0 starts at %d after %d records of 512 KiB, want the older half or so gone", start, records)
		}
	})
}

// TestEmbeddedBrokerLetsGoOfWhatIsHandled, as long as every group is there to say what it has handled.
func TestEmbeddedBrokerLetsGoOfWhatIsHandled(t *testing.T) {
	onEmbedded(t, []string{"inventory", "analytics"}, func(e embedded) {
		const records, kept = 1000, 256
		if start := e.fill("order.placed", records, 100); start != records-kept {
			t.Errorf("partition 0 starts at %d after %d records that inventory has skipped, want the last %d left", start, records, kept)
		}
		if start := e.fill("stock.reserved", records, 100); start != 0 {
			t.Errorf("partition 0 starts at %d, want all %d records left: payment does not run", start, records)
		}
		e.stop()
		if start := e.fill("order.placed", records, 100); start != records-kept {
			t.Errorf("partition 0 starts at %d, want what inventory has not seen left, and %d before", start, kept)
		}
	})
}
