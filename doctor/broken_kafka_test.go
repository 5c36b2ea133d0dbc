package doctor_test

import (
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/doctor"
)

func kafkaBreakages() []breakage {
	return []breakage{
		{name: "kafka is down", want: "kafka", seen: []string{"connection refused"}, fix: "start Kafka",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Kafka = []string{nobody(t)} }},
		{name: "kafka's port is another's", want: "kafka", seen: []string{"HTTP/1 is spoken there"}, fix: "--kafka",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) {
				_, overHTTP := l.receiver.Addresses()
				c.Kafka = []string{overHTTP}
			}},
		{name: "kafka advertises a wrong address", want: "kafka-listener", seen: []string{"broker 0 says that it is at 127.0.0.1:", "connection refused"}, fix: "advertised.listeners",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Kafka = []string{misadvertised(t)} }},
		{name: "another kafka", want: "kafka-topics", seen: []string{"order.placed", "there are 0 topics"}, fix: "--kafka",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) {
				other, err := kfake.NewCluster(kfake.NumBrokers(1))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(other.Close)
				c.Kafka = other.ListenAddrs()
			}},
		{name: "a prefix", want: "kafka-topics", seen: []string{"mine.order.placed"}, fix: "--prefix",
			cut: func(_ *testing.T, _ *testLab, c *doctor.Config) { c.Prefix = "mine." }},
		{name: "a group without members", want: "kafka-groups", seen: []string{"group sieve"}, fix: "start sieve with --kafka",
			odds: map[string]odd{"sieve": {noKafka: true}}},
		{name: "a group that falls behind", want: "kafka-lag", seen: []string{"group sieve is 6", " records behind"}, fix: "sieve handles fewer records than arrive",
			odds: map[string]odd{}, cut: func(t *testing.T, l *testLab, _ *doctor.Config) { pile(t, l) }},
	}
}

// misadvertised starts a Kafka that tells its clients an address where nobody listens.
func misadvertised(t *testing.T) string {
	t.Helper()
	var real net.Listener
	told := nobody(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		if err != nil {
			return nil, err
		}
		real = l
		tcp, err := net.ResolveTCPAddr("tcp", told)
		return elsewhere{l, tcp}, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return real.Addr().String()
}

// elsewhere is a listener that says it is at another address.
type elsewhere struct {
	net.Listener
	told net.Addr
}

// Addr is the address that it tells.
func (e elsewhere) Addr() net.Addr { return e.told }

// pile puts records on a topic of a group whose commits the broker refuses.
func pile(t *testing.T, l *testLab) {
	t.Helper()
	l.kafka.ControlKey(int16(kmsg.OffsetCommit), func(request kmsg.Request) (kmsg.Response, error, bool) {
		l.kafka.KeepControl()
		commit := request.(*kmsg.OffsetCommitRequest)
		if commit.Group != "sieve" {
			return nil, nil, false
		}
		response := commit.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, topic := range commit.Topics {
			refused := kmsg.NewOffsetCommitResponseTopic()
			refused.Topic, refused.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				one := kmsg.NewOffsetCommitResponseTopicPartition()
				one.Partition, one.ErrorCode = p.Partition, kerr.CoordinatorLoadInProgress.Code
				refused.Partitions = append(refused.Partitions, one)
			}
			response.Topics = append(response.Topics, refused)
		}
		return response, nil, true
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(l.kafka.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 60 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "corn.ground", Value: []byte("no event")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}
