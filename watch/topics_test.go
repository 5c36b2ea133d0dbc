package watch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
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
