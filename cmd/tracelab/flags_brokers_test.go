package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/otlp"
	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/otelamqp/amqptest"
	"tracelab/services"
	"tracelab/services/flows"
)

// onAnotherKafka runs on a broker that the lab did not start, and looks at what is left there.
func onAnotherKafka(t *testing.T, kept bool, args ...string) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	address := cluster.ListenAddrs()[0]
	result, status := do(t, append(args, "--forms", "kafka", "--kafka", address)...)
	if result.Broker != address || status != exitDone || result.Forms[services.Kafka].Journeys != 1 {
		t.Errorf("exit status %d, broker %s, problems %q", status, result.Broker, result.Problems)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	if kept {
		want = len(flows.Order().Topics())
	}
	if len(topics) != want {
		t.Errorf("topics left: %q, want %d", topics.Names(), want)
	}
	for _, name := range topics.Names() {
		if !strings.HasPrefix(name, "tracelab."+result.Run+".") {
			t.Errorf("topic %s has not the run's prefix", name)
		}
	}
}

// onRabbitMQ runs orders on a RabbitMQ and returns the kind of the queue that is left there, or nothing.
func onRabbitMQ(t *testing.T, args ...string) string {
	t.Helper()
	broker := &amqptest.Broker{}
	defer broker.Close()
	address, err := broker.Listen()
	if err != nil {
		t.Fatal(err)
	}
	result, status := do(t, append(args, "--forms", "rabbitmq", "--rabbitmq", address)...)
	if f := result.Forms["rabbitmq"]; status != exitDone || f.Journeys != 1 || !strings.Contains(result.Broker, address) {
		t.Errorf("exit status %d, %d journeys, broker %s, problems %q", status, f.Journeys, result.Broker, result.Problems)
	}
	return broker.QueueType("tracelab." + result.Run + ".payment")
}

// effectsOfRepeats runs on a broker on which the first message of each order comes twice, and returns how its steps were handled. The order
// waits for one of its last steps, so that what the copy did is told before the run is over.
func effectsOfRepeats(t *testing.T, args ...string) (e lab.Effects, status int) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	address := cluster.ListenAddrs()[0]
	ctx, cancel := context.WithCancel(t.Context())
	doubled := make(chan error, 1)
	go func() { doubled <- doubleRecords(ctx, address) }()
	result, status := do(t, append(args, "--forms", "kafka", "--kafka", address, "--fault", "notification:delay=700ms")...)
	cancel()
	if err := <-doubled; err != nil {
		t.Fatal(err)
	}
	return result.Forms[services.Kafka].Effects, status
}

// doubleRecords produces a copy of every order's first message, until the context ends.
func doubleRecords(ctx context.Context, address string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeRegex(), kgo.ConsumeTopics(`.*\.order\.placed$`), kgo.ProducerLinger(0),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(10*time.Millisecond), kgo.MetadataMaxAge(20*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	for ctx.Err() == nil {
		var errs []error
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if slices.ContainsFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == "copy" }) {
				return
			}
			again := &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: append(slices.Clone(r.Headers), kgo.RecordHeader{Key: "copy"})}
			errs = append(errs, client.ProduceSync(context.Background(), again).FirstErr())
		})
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// elsewhere drives services that `tracelab serve` runs, and takes their spans.
func elsewhere(t *testing.T) {
	t.Helper()
	otlp := twoFreePorts(t)
	s := start(t, append([]string{"serve", "all", "--otlp", otlp}, anywhere(flows.Order().Services()...)...)...)
	s.await(t, `(?m)^ready: `)
	url := s.url(t, "gateway")
	result, status := do(t, "--target", url, "--receive-otlp", otlp)
	if status != exitDone || result.Target != url || result.Forms[services.GRPC].Journeys != 1 || result.Spans.Started != 1 {
		t.Errorf("exit status %d, target %s, %d spans made here, problems %q", status, result.Target, result.Spans.Started, result.Problems)
	}
	if status := s.end(t); status != exitDone {
		t.Errorf("serve: exit status %d: %s", status, s)
	}
}

// sendTo runs with --otlp and counts what comes there.
func sendTo(t *testing.T, args ...string) (lab.Result, int) {
	t.Helper()
	collector := testkit.NewSpanStore()
	receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: "127.0.0.1:0", Keep: collector.Add, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	overGRPC, _ := receiver.Addresses()
	result, _ := do(t, append(args, "--otlp", overGRPC)...)
	if err := receiver.Close(context.Background()); err != nil {
		t.Error(err)
	}
	return result, len(received(t, collector))
}
