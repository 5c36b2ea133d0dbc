package watch

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// errEnd ends a watcher with Config.UntilEnd that has nothing left to judge.
var errEnd = errors.New("all that the input held at the start is judged")

// awaitEnd ends the watcher when the whole group has judged what the input held at the start. The group's commits tell, whichever watcher made
// them: the commit of the work topic stays before the oldest open trace.
func (w *watcher) awaitEnd(ctx context.Context) {
	for _, s := range []*stage{&w.in, &w.work} { // first the input: only then is all of it in the work topic
		var ends kadm.ListedOffsets
		for ; ctx.Err() == nil; pause(ctx, lookInterval) {
			var done bool
			var err error
			if ends == nil {
				ends, err = endsOf(ctx, s)
			}
			if err == nil {
				done, err = committedUpTo(ctx, s, ends)
			}
			if err != nil && ctx.Err() == nil {
				w.trouble.say("cannot ask how far the group is; trying again", "group", s.group, "error", err)
			}
			if done {
				break
			}
		}
	}
	if ctx.Err() == nil {
		w.fail(errEnd)
	}
}

// endsOf returns the end offsets of a stage's topic.
func endsOf(ctx context.Context, s *stage) (kadm.ListedOffsets, error) {
	ends, err := s.admin.ListEndOffsets(ctx, s.topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ask where %s ends: %w", s.topic, err)
	}
	return ends, nil
}

// committedUpTo reports whether the group has committed all records before the ends.
func committedUpTo(ctx context.Context, s *stage, ends kadm.ListedOffsets) (bool, error) {
	starts, err := s.admin.ListStartOffsets(ctx, s.topic)
	if err != nil {
		return false, err
	}
	commits, err := s.admin.FetchOffsets(ctx, s.group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return false, err
	}
	done := true
	ends.Each(func(end kadm.ListedOffset) {
		at := int64(0)
		if start, ok := starts.Lookup(end.Topic, end.Partition); ok {
			at = start.Offset // older records have been deleted
		}
		if commit, ok := commits.Lookup(end.Topic, end.Partition); ok {
			at = max(at, commit.At)
		}
		done = done && at >= end.Offset
	})
	return done, nil
}
