package kafka

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// revocationPoll is the time between two looks whether the work on revoked partitions has ended.
const revocationPoll = 5 * time.Millisecond

// windows keeps, for each partition, which polled records are finished, so that no commit goes further than the oldest
// unfinished one. The zero value is empty.
type windows struct {
	life        context.Context // ends when no more records are taken; nil: never
	counting    bool            // a commit says how many records are finished beyond its offset
	mu          sync.Mutex
	byPartition map[partition]*window
}

type partition struct {
	topic string
	id    int32
}

// window is the records of one partition from the oldest unfinished one on, in the order of their offsets.
type window struct {
	entries []*entry
	next    kgo.EpochOffset // to commit
	dirty   bool            // next is not committed yet
	leaving context.Context // ends when the partition goes to another member, or no more records are taken
	leave   context.CancelFunc
}

type entry struct {
	offset kgo.EpochOffset // after the record
	ended  bool            // the work on it has ended
	done   bool            // it may be committed
}

// taken is a polled record in its window.
type taken struct {
	record *kgo.Record
	// ended is called once, when the work on the record has ended, with whether it is finished. For a partition that was dropped meanwhile that
	// changes nothing.
	ended func(finished bool)
	// leaving ends when another member gets the record, if it is not finished by then.
	leaving context.Context
}

// open adds a polled record.
func (ws *windows) open(r *kgo.Record) taken {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.byPartition == nil {
		ws.byPartition = map[partition]*window{}
	}
	key := partition{r.Topic, r.Partition}
	w := ws.byPartition[key]
	if w == nil {
		w = &window{next: kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset}}
		life := ws.life
		if life == nil {
			life = context.Background()
		}
		w.leaving, w.leave = context.WithCancel(life)
		ws.byPartition[key] = w
	}
	e := &entry{offset: kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}}
	w.entries = append(w.entries, e)
	ended := func(finished bool) {
		ws.mu.Lock()
		defer ws.mu.Unlock()
		e.ended, e.done = true, finished
		w.advance()
		w.dirty = w.dirty || ws.counting && finished
	}
	return taken{r, ended, w.leaving}
}

// advance moves the window's start over finished records.
func (w *window) advance() {
	for len(w.entries) > 0 && w.entries[0].done {
		w.next, w.dirty = w.entries[0].offset, true
		w.entries = w.entries[1:]
	}
}

// finished returns the offsets that can be committed and were not, and marks them as committed.
func (ws *windows) finished() map[string]map[int32]kgo.EpochOffset {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for key, w := range ws.byPartition {
		if !w.dirty {
			continue
		}
		w.dirty = false
		if offsets[key.topic] == nil {
			offsets[key.topic] = map[int32]kgo.EpochOffset{}
		}
		offsets[key.topic][key.id] = w.next
	}
	return offsets
}

// uncommit marks offsets as not committed again.
func (ws *windows) uncommit(offsets map[string]map[int32]kgo.EpochOffset) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for key, w := range ws.byPartition {
		if _, ok := offsets[key.topic][key.id]; ok {
			w.dirty = true
		}
	}
}

// drop forgets partitions that another member has now.
func (ws *windows) drop(gone map[string][]int32) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for topic, ids := range gone {
		for _, id := range ids {
			key := partition{topic, id}
			if w := ws.byPartition[key]; w != nil {
				w.leave()
			}
			delete(ws.byPartition, key)
		}
	}
}

// leave tells those who wait for a further attempt at a record of the partitions that it is not theirs any more.
func (ws *windows) leave(leaving map[string][]int32) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for key, w := range ws.byPartition {
		if slices.Contains(leaving[key.topic], key.id) {
			w.leave()
		}
	}
}

// wait waits until the work on the partitions has ended, or the context has.
func (ws *windows) wait(ctx context.Context, leaving map[string][]int32) {
	ticker := time.NewTicker(revocationPoll)
	defer ticker.Stop()
	for ws.busy(leaving) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (ws *windows) busy(leaving map[string][]int32) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for key, w := range ws.byPartition {
		unended := slices.ContainsFunc(w.entries, func(e *entry) bool { return !e.ended })
		if unended && slices.Contains(leaving[key.topic], key.id) {
			return true
		}
	}
	return false
}
