package watch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestFirstStartIsSilent: the partitions of new topics have no leaders for a moment. That is no trouble to tell of.
func TestFirstStartIsSilent(t *testing.T) {
	inGroup(t, func(g *group) {
		began := time.Now()
		g.cluster.ControlKey(int16(kmsg.ListOffsets), func(request kmsg.Request) (kmsg.Response, error, bool) {
			g.cluster.KeepControl()
			if time.Since(began) > 2*time.Second {
				return nil, nil, false
			}
			response := request.ResponseKind().(*kmsg.ListOffsetsResponse)
			for _, topic := range request.(*kmsg.ListOffsetsRequest).Topics {
				r := kmsg.NewListOffsetsResponseTopic()
				r.Topic = topic.Topic
				for _, partition := range topic.Partitions {
					p := kmsg.NewListOffsetsResponseTopicPartition()
					p.Partition, p.ErrorCode = partition.Partition, kerr.NotLeaderForPartition.Code
					r.Partitions = append(r.Partitions, p)
				}
				response.Topics = append(response.Topics, r)
			}
			return response, nil, true
		})
		var log lockedBuffer
		g.start("a", func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		time.Sleep(10 * time.Second)
		if said := log.String(); said != "" {
			t.Errorf("the watcher said\n%s", said)
		}
	})
}

// lockedBuffer is a buffer that may be read while others write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestInputTopicIsMissing: a watcher makes the topic that its collector is to write to. One that ends with the topic says that there is none, and makes
// nothing.
func TestInputTopicIsMissing(t *testing.T) {
	inGroup(t, func(g *group) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		admin := kadm.NewClient(g.client)
		ended := g.start("a", func(c *Config) { c.Topic, c.Group, c.UntilEnd = "spans", "early", true })
		<-ended.done
		if ended.err == nil || !strings.Contains(ended.err.Error(), "--topic") {
			t.Errorf("the error is %v", ended.err)
		}
		for _, name := range []string{"spans", "early.work"} {
			if _, err := partitionsOf(ctx, admin, name); !errors.Is(err, errNoTopic) {
				t.Errorf("topic %s: %v, want none", name, err)
			}
		}
		g.start("b", func(c *Config) { c.Topic = "spans" })
		for _, err := partitionsOf(ctx, admin, "spans"); err != nil; _, err = partitionsOf(ctx, admin, "spans") {
			if !errors.Is(err, errNoTopic) {
				t.Fatal(err)
			}
			pause(ctx, lookInterval)
		}
		configs, err := admin.DescribeTopicConfigs(ctx, "spans")
		g.must(err)
		for _, c := range configs[0].Configs {
			if c.Key == "max.message.bytes" && *c.Value != "5242880" {
				t.Errorf("%s is %s", c.Key, *c.Value)
			}
		}
	})
}

// TestTopicsOfOtherSizes: each is refused with the way out, and an error of the broker is said once.
func TestTopicsOfOtherSizes(t *testing.T) {
	inGroup(t, func(g *group) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		admin := kadm.NewClient(g.client)
		for _, c := range []struct {
			topic, want string
			change      func(*Config)
		}{
			{"w.work", "topic w.work has 3 partitions, want 8: a trace's place depends on their number, so name another --group", func(c *Config) { c.Group = "w" }},
			{"m.marks", "topic m.marks has 3 partitions, want 1: its records have one order, so delete it", func(c *Config) { c.Group = "m" }},
			{"sizes", "topic sizes has 3 partitions, want 8: a summary's place depends on their number, so name another topic with --journeys", func(c *Config) { c.Journeys = "sizes" }},
		} {
			_, err := admin.CreateTopic(ctx, 3, 1, nil, c.topic)
			g.must(err)
			n := g.start(c.topic, c.change)
			<-n.done
			if n.err == nil || !strings.Contains(n.err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", n.err, c.want)
			}
		}
		g.cluster.ControlKey(int16(kmsg.CreateTopics), func(request kmsg.Request) (kmsg.Response, error, bool) {
			g.cluster.KeepControl()
			response := request.ResponseKind().(*kmsg.CreateTopicsResponse)
			r := kmsg.NewCreateTopicsResponseTopic()
			r.Topic, r.ErrorCode = request.(*kmsg.CreateTopicsRequest).Topics[0].Topic, kerr.TopicAuthorizationFailed.Code
			response.Topics = append(response.Topics, r)
			return response, nil, true
		})
		n := g.start("refused", func(c *Config) { c.Group = "r" })
		<-n.done
		if n.err == nil || strings.Count(n.err.Error(), "TOPIC_AUTHORIZATION_FAILED") != 1 {
			t.Errorf("the error is %v", n.err)
		}
	})
}

// TestAStartWhileKafkaRestarts: a broker that has answered, and then cannot make a topic for a moment, is no reason to end.
func TestAStartWhileKafkaRestarts(t *testing.T) {
	inGroup(t, func(g *group) {
		asked := 0
		g.cluster.ControlKey(int16(kmsg.CreateTopics), func(request kmsg.Request) (kmsg.Response, error, bool) {
			g.cluster.KeepControl()
			if asked++; asked > 2 {
				return nil, nil, false
			}
			response := request.ResponseKind().(*kmsg.CreateTopicsResponse)
			r := kmsg.NewCreateTopicsResponseTopic()
			r.Topic, r.ErrorCode = request.(*kmsg.CreateTopicsRequest).Topics[0].Topic, kerr.RequestTimedOut.Code
			response.Topics = append(response.Topics, r)
			return response, nil, true
		})
		n := g.start("early", nil)
		s := newStream(g)
		s.send(20, func(int) {})
		if n.err != nil || asked <= 2 {
			t.Errorf("%v after %d attempts", n.err, asked)
		}
	})
}

// TestATopicThatIsMadeAgain: Kafka's client never reads what comes under the name of a topic that was deleted. The watcher says so, and ends. For a moment after a
// topic is made, its brokers give the same answer.
func TestATopicThatIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, fail := context.WithCancelCause(t.Context())
		watcher := trouble{log: slog.New(slog.DiscardHandler), fail: fail}
		unknown := func(topic string, during time.Duration) {
			for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(time.Second) {
				watcher.fetchFailed(topic, 0, kerr.UnknownTopicID)
			}
		}
		unknown("spans", 10*time.Second)
		time.Sleep(10 * time.Second)
		unknown("spans", 10*time.Second)
		unknown("others", 10*time.Second)
		if ctx.Err() != nil {
			t.Fatalf("it ends after a moment: %v", context.Cause(ctx))
		}
		unknown("others", 2*time.Second)
		if err := context.Cause(ctx); err == nil || !strings.Contains(err.Error(), "topic others was deleted") {
			t.Errorf("the error is %v", err)
		}
	})
}
