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

// awaitEnd ends the watcher when the whole group has judged what the input held at the start. The input's commits tell that all of it is in the work
// topic, whichever watcher made them, and the marks that it is judged: a commit of the work topic stays before traces that others may still ask.
func (w *watcher) awaitEnd(ctx context.Context) {
	w.awaitAll(ctx, &w.in, committedUpTo)
	w.awaitAll(ctx, &w.work, func(_ context.Context, _ *stage, ends kadm.ListedOffsets) (bool, error) {
		return w.judgedUpTo(ends), nil
	})
	if ctx.Err() == nil {
		w.fail(errEnd)
	}
}

// awaitAll asks where the topic of a stage ends, and waits until done holds for these ends.
func (w *watcher) awaitAll(ctx context.Context, s *stage, done func(context.Context, *stage, kadm.ListedOffsets) (bool, error)) {
	var ends kadm.ListedOffsets
	for ; ctx.Err() == nil; pause(ctx, lookInterval) {
		var all bool
		var err error
		if ends == nil {
			ends, err = endsOf(ctx, s)
		}
		if err == nil {
			all, err = done(ctx, s, ends)
		}
		if err != nil && ctx.Err() == nil {
			w.trouble.say("cannot ask how far the group is; trying again", "group", s.group, "error", err)
		}
		if all {
			return
		}
	}
}

// judgedUpTo reports whether no verdict is to come of what the work topic held before the ends, by the newest mark of each partition.
func (w *watcher) judgedUpTo(ends kadm.ListedOffsets) bool {
	w.gateLock.Lock()
	defer w.gateLock.Unlock()
	all := true
	ends.Each(func(end kadm.ListedOffset) {
		m, marked := w.gate.last[part{id: end.Partition}]
		all = all && marked && m.Judged >= end.Offset
	})
	return all
}

// decideRest counts what became of the traces of which no verdict is to come, when the watcher ends before their window.
func (w *watcher) decideRest() {
	w.work.mu.Lock()
	defer w.work.mu.Unlock()
	for _, p := range w.work.parts {
		p.actors.End()
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
