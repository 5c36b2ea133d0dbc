package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/broker/brokertest"
)

// TestRedrive: the dead letters that are there go back, no more than was asked for, and each once.
func TestRedrive(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(8, "mine.order.placed", "mine.order.placed.dlq"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	address := strings.Join(cluster.ListenAddrs(), ",")
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 5 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "mine.order.placed.dlq", Value: []byte("{}"), Headers: []kgo.RecordHeader{{Key: "tracelab-error", Value: []byte("no")}}}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"order.placed"}, exitUsage, "--kafka or --rabbitmq"},
		{[]string{"order.placed", "--kafka", address, "--most", "0"}, exitUsage, "1 or more"},
		{[]string{"order.placed", "--kafka", address, "--timeout", "0s"}, exitUsage, "over 0"},
		{[]string{"order.placed", "--kafka", "127.0.0.1:1", "--timeout", "100ms"}, exitNotSo, "127.0.0.1:1"},
		{[]string{"order.placed", "--kafka", address}, exitDone, "kafka: 0 sent back"}, // another prefix
		{[]string{"order.placed", "--kafka", address, "--prefix", "mine.", "--most", "2"}, exitDone, "kafka: 2 sent back to order.placed\n"},
		{[]string{"order.placed.dlq", "--kafka", address, "--prefix", "mine."}, exitDone, "kafka: 3 sent back"},
		{[]string{"order.placed", "--kafka", address, "--prefix", "mine."}, exitDone, "kafka: 0 sent back"},
	} {
		var out, talk bytes.Buffer
		if status := run(t.Context(), append([]string{"redrive"}, c.args...), nil, &out, &talk); status != c.status || !strings.Contains(out.String()+talk.String(), c.want) {
			t.Errorf("redrive %q: exit status %d, want %d and %q: %s%s", c.args, status, c.status, c.want, out.String(), talk.String())
		}
		if c.status != exitDone && out.Len() > 0 {
			t.Errorf("redrive %q: says %q beside its error", c.args, out.String())
		}
	}
	ends, err := kadm.NewClient(client).ListEndOffsets(context.Background(), "mine.order.placed")
	if err != nil {
		t.Fatal(err)
	}
	var back int64
	ends.Each(func(o kadm.ListedOffset) { back += o.Offset })
	if back != 5 {
		t.Errorf("%d messages came back, want 5", back)
	}
}

// TestRedriveSkipsADamagedBatch: what nobody can read costs itself alone, and is said once. What lies around it goes back.
func TestRedriveSkipsADamagedBatch(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "order.placed", "order.placed.dlq"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	broker := kgo.SeedBrokers(cluster.ListenAddrs()...)
	client, err := kgo.NewClient(broker)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	letter := func() *kgo.Record { return &kgo.Record{Topic: "order.placed.dlq", Value: []byte("{}")} }
	for _, damaged := range []bool{false, true, true, false, true} {
		if damaged {
			brokertest.Damage(t, "order.placed.dlq", 0, broker)
		} else if err := client.ProduceSync(t.Context(), letter(), letter()).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"kafka: 3 sent back to order.placed; 2 batches skipped: they are damaged", "kafka: 1 sent back to order.placed; 1 batch skipped: it is", "kafka: 0 sent back to order.placed\n"} {
		var out, talk bytes.Buffer
		args := []string{"redrive", "order.placed", "--kafka", strings.Join(cluster.ListenAddrs(), ","), "--most", "3"}
		if status := run(t.Context(), args, nil, &out, &talk); status != exitDone || !strings.HasPrefix(out.String(), want) {
			t.Errorf("exit status %d, %s%s, want %s", status, out.String(), talk.String(), want)
		}
	}
}

// TestWhatRedriveLost is said on the line of its broker, and nothing where nothing was.
func TestWhatRedriveLost(t *testing.T) {
	if none, two := cutText(0), cutText(2); none != "" || !strings.HasPrefix(two, "; 2 of them without headers ") {
		t.Errorf("%q, %q", none, two)
	}
}
