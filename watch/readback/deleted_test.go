package readback

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// TestATopicThatWasDeleted ends the watcher once that is sure. For a moment after a topic is made, its brokers give the same answer.
func TestATopicThatWasDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, fail := context.WithCancelCause(t.Context())
		r := &Reader{config: Config{Fail: fail, Logger: slog.New(slog.DiscardHandler)}}
		for range 10 {
			r.failed("journeys", 0, kerr.UnknownTopicID)
			time.Sleep(time.Second)
		}
		if ctx.Err() != nil {
			t.Fatalf("it ends after a moment: %v", context.Cause(ctx))
		}
		r.failed("journeys", 0, kerr.UnknownTopicID)
		if err := context.Cause(ctx); err == nil || !strings.Contains(err.Error(), "topic journeys was deleted") {
			t.Errorf("the error is %v", err)
		}
	})
}
