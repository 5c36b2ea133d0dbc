package watch

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

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
