package services

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/codes"

	"tracelab/services/flows"
	"tracelab/services/internal/orderpb"
)

// broker runs f with a client of the broker that no service knows of.
func (l *testLab) broker(f func(client *kgo.Client)) {
	l.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.cluster.ListenAddrs()...), kgo.Dialer(l.config.Network.Dial), kgo.DisableClientMetrics())
	l.must(err)
	defer client.Close()
	f(client)
}

// lag sums the records that no group has committed, by group.
func (l *testLab) lag() map[string]int64 {
	l.Helper()
	lags := map[string]int64{}
	l.broker(func(client *kgo.Client) {
		described, err := kadm.NewClient(client).Lag(context.Background())
		l.must(err)
		described.Each(func(d kadm.DescribedGroupLag) {
			l.must(d.Error())
			lags[d.Group] = d.Lag.Total()
		})
	})
	return lags
}

// nothingLeft is the lag of services that have committed all.
var nothingLeft = map[string]int64{Orders: 0, Inventory: 0, Payment: 0, Shipping: 0, Notification: 0, Analytics: 0}

// TestMessagesOfAStranger: of an order that this orders has never accepted, and of none at all.
func TestMessagesOfAStranger(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, topic := range []string{"order.fulfilled", FailureTopic} {
			event := &orderpb.Event{Order: &orderpb.Order{Id: "stranger"}, Steps: []string{string(Dispatch)}}
			l.must(l.system.nodes[1].publish(l.Context(), flows.KafkaLog, topic, event))
		}
		l.broker(func(client *kgo.Client) {
			l.must(client.ProduceSync(l.Context(), &kgo.Record{Topic: "order.placed", Key: []byte("x"), Value: []byte("rubbish")}).FirstErr())
		})
		time.Sleep(time.Second)
		kinds := map[string]int{}
		for _, span := range l.ended() {
			if a := attributes(span); a["messaging.operation.type"].AsString() == "process" && span.Status().Code == codes.Error {
				kinds[a["error.type"].AsString()]++
			}
		}
		if diff := cmp.Diff(map[string]int{"order_unknown": 2, "undecodable": 1}, kinds); diff != "" {
			t.Errorf("process spans by error.type (-want +got):\n%s", diff)
		}
		if n := l.system.Skipped(); n != 1 {
			t.Errorf("%d skipped, want the one that cannot be decoded", n)
		}
		if diff := cmp.Diff(nothingLeft, l.lag()); diff != "" {
			t.Errorf("not committed (-want +got):\n%s", diff)
		}
		if s := l.await(l.place(in("r", Kafka), tea).id()); s.Status != Completed {
			t.Errorf("an order after them: %s, want completed", s.Status)
		}
	})
}

// TestARepeatedMessageChangesNothing: the step is done again, the order is joined once.
func TestARepeatedMessageChangesNothing(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		e := in("r", Kafka)
		id := l.await(l.place(e, tea).id()).ID
		time.Sleep(time.Second)
		before := l.state(id)
		ctx, err := e.WithBaggage(l.Context())
		l.must(err)
		order := anOrder(id, "tea-green", "2")
		l.must(l.system.nodes[3].publish(ctx, flows.KafkaLog, "payment.captured", &orderpb.Event{Order: order, Steps: []string{string(Charge)}}))
		time.Sleep(time.Second)
		if diff := cmp.Diff(before, l.state(id)); diff != "" {
			t.Errorf("the order has changed (-before +after):\n%s", diff)
		}
		if spans := l.stepSpans(e); len(spans[Dispatch]) != 2 || len(spans[Complete]) != 1 {
			t.Errorf("%d times %s and %d times %s, want 2 and 1", len(spans[Dispatch]), Dispatch, len(spans[Complete]), Complete)
		}
	})
}

// TestARestartSeesNothingAgain: what was consumed before a shutdown is committed.
func TestARestartSeesNothingAgain(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for number := range 5 {
			for _, form := range []Form{Kafka, Hybrid} {
				e := in("r", form)
				e.Number = number
				l.place(e, tea)
			}
		}
		l.must(l.stop(10 * time.Second))
		if diff := cmp.Diff(nothingLeft, l.lag()); diff != "" {
			t.Errorf("not committed after the shutdown (-want +got):\n%s", diff)
		}
		ended := len(l.ended())
		l.start()
		time.Sleep(5 * time.Second)
		if now := len(l.ended()); now != ended {
			t.Errorf("%d spans after the restart, want none: messages came again", now-ended)
		}
		if s := l.await(l.place(in("again", Kafka), tea).id()); s.Status != Completed {
			t.Errorf("an order after the restart: %s, want completed", s.Status)
		}
	})
}

// TestPrefix keeps a run's topics and groups apart from others' on the same broker, and takes them away in the end.
func TestPrefix(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		e := in("r", Kafka)
		l.await(l.place(e, tea).id())
		time.Sleep(time.Second)
		if l.cluster.TopicInfo("run7.order.placed") == nil || l.cluster.TopicInfo("order.placed") != nil {
			t.Error("the topics have no prefix")
		}
		for _, span := range l.spansOf(e) {
			if template, ok := attributes(span)["messaging.destination.template"]; ok && template.AsString() == attributes(span)["messaging.destination.name"].AsString() {
				t.Errorf("%s: template %s, want the name without the prefix", span.Name(), template.AsString())
			}
		}
		l.must(l.stop(10 * time.Second))
		l.must(RemoveTopics(l.Context(), l.config))
		if lag := l.lag(); len(lag) != 0 || l.cluster.TopicInfo("run7.order.placed") != nil {
			t.Errorf("groups %v or topics are left", lag)
		}
	}, func(c *Config) { c.Prefix = "run7." })
}
