package offsets_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"tracelab/internal/broker/brokertest"
	"tracelab/internal/offsets"
	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

// start starts a broker whose topic t has two partitions, with one record in the first.
func start(t *testing.T) (cluster *kfake.Cluster, client *kgo.Client) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err = kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	write(t, client, time.Now())
	return cluster, client
}

func write(t *testing.T, client *kgo.Client, at time.Time) {
	t.Helper()
	if err := client.ProduceSync(context.Background(), &kgo.Record{Topic: "t", Value: []byte("x"), Timestamp: at}).FirstErr(); err != nil {
		t.Error(err)
	}
}

// since asks, and checks where the first partition was; the second is empty or damaged.
func since(t *testing.T, client *kgo.Client, at time.Time, first int64) {
	t.Helper()
	list, err := offsets.Since(t.Context(), kadm.NewClient(client), at, "t")
	if err != nil || list.Error() != nil {
		t.Fatal(err, list.Error())
	}
	for partition, want := range []int64{first, 0} {
		if got, known := list.Lookup("t", int32(partition)); !known || got.Offset != want {
			t.Errorf("partition %d was at %d, want %d", partition, got.Offset, want)
		}
	}
}

func TestSince(t *testing.T) {
	_, client := start(t)
	since(t, client, time.Now().Add(-time.Hour), 0)
	since(t, client, time.Now().Add(time.Hour), 1)
}

// TestBehindADamagedBatch: a broker cannot look into it for a time. Then all of its partition is since that time.
func TestBehindADamagedBatch(t *testing.T) {
	cluster, client := start(t)
	brokertest.Damage(t, "t", 1, kgo.SeedBrokers(cluster.ListenAddrs()...))
	since(t, client, time.Now().Add(-time.Hour), 0)
}

// TestNothingThatIsWrittenMeanwhileIsLeftOut has a record come when the broker has said that there is none, before it is asked for the end.
func TestNothingThatIsWrittenMeanwhileIsLeftOut(t *testing.T) {
	cluster, client := start(t)
	at := time.Now().Add(time.Hour)
	answered, ended := false, 0
	cluster.ControlKey(int16(kmsg.ListOffsets), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		switch kind := request.(*kmsg.ListOffsetsRequest).Topics[0].Partitions[0].Timestamp; {
		case kind >= 0:
			answered = true
		case answered:
			if ended++; ended == 1 {
				cluster.SleepControl(func() { write(t, client, at) })
			}
		}
		return nil, nil, false
	})
	since(t, client, at, 1)
	if ended == 0 {
		t.Error("the broker was never asked for the end after it had answered: there is nothing to test")
	}
}
