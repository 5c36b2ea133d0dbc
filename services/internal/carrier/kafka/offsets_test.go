package kafka

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// offsets is what windows lists for commits.
type offsets = map[string]map[int32]kgo.EpochOffset

// polled opens a record of topic t.
func polled(ws *windows, id int32, offset int64) func(finished bool) {
	return ws.open(&kgo.Record{Topic: "t", Partition: id, Offset: offset, LeaderEpoch: 7}).ended
}

// upTo are the offsets that a commit of partition id up to, not including, next has.
func upTo(id int32, next int64) offsets {
	return offsets{"t": {id: {Epoch: 7, Offset: next}}}
}

func checkFinished(t *testing.T, ws *windows, when string, want offsets) {
	t.Helper()
	if diff := cmp.Diff(want, ws.finished()); diff != "" {
		t.Errorf("%s: to commit (-want +got):\n%s", when, diff)
	}
}

func TestCommitStopsBeforeTheOldestUnfinished(t *testing.T) {
	var ws windows
	checkFinished(t, &ws, "nothing polled", offsets{})
	end := map[int64]func(bool){}
	for offset := int64(10); offset < 15; offset++ {
		end[offset] = polled(&ws, 0, offset)
	}
	end[11](true)
	end[13](true)
	checkFinished(t, &ws, "10 is still in work", offsets{})
	end[10](true)
	checkFinished(t, &ws, "12 is still in work", upTo(0, 12))
	checkFinished(t, &ws, "nothing new", offsets{})
	end[14](true)
	end[12](true)
	checkFinished(t, &ws, "all finished", upTo(0, 15))
}

func TestGapsBetweenOffsetsAreNoRecords(t *testing.T) {
	var ws windows
	first, second := polled(&ws, 0, 3), polled(&ws, 0, 9) // compacted, or a transaction's marks between them
	first(true)
	checkFinished(t, &ws, "first", upTo(0, 4))
	second(true)
	checkFinished(t, &ws, "second", upTo(0, 10))
}

func TestPartitionsDoNotWaitForEachOther(t *testing.T) {
	var ws windows
	polled(&ws, 0, 5)
	polled(&ws, 1, 8)(true)
	checkFinished(t, &ws, "0 is in work, 1 finished", upTo(1, 9))
}

func TestAnUnfinishedRecordHoldsItsPartition(t *testing.T) {
	var ws windows
	unfinished, behind := polled(&ws, 0, 1), polled(&ws, 0, 2)
	unfinished(false)
	behind(true)
	checkFinished(t, &ws, "1 ended unfinished", offsets{})
	if ws.busy(map[string][]int32{"t": {0}}) {
		t.Error("busy, though nobody works on the partition any more: a rebalance would wait for ever")
	}
}

func TestAFailedCommitIsTriedAgain(t *testing.T) {
	var ws windows
	polled(&ws, 0, 1)(true)
	failed := ws.finished()
	polled(&ws, 0, 2)(true)
	ws.uncommit(failed)
	checkFinished(t, &ws, "after the failure", upTo(0, 3))
	ws.drop(map[string][]int32{"t": {0}})
	ws.uncommit(failed)
	checkFinished(t, &ws, "of a partition that has gone", offsets{})
}

func TestWorkOnAPartitionThatHasGoneChangesNothing(t *testing.T) {
	var ws windows
	late := polled(&ws, 0, 1)
	ws.drop(map[string][]int32{"t": {0}})
	again := polled(&ws, 0, 1) // the partition is back
	late(true)
	checkFinished(t, &ws, "the work of the time before", offsets{})
	again(true)
	checkFinished(t, &ws, "the work of this time", upTo(0, 2))
}

func TestARevocationWaitsForTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ws windows
		end := polled(&ws, 0, 1)
		polled(&ws, 1, 1) // stays, and so does its work
		time.AfterFunc(time.Second, func() { end(true) })
		begin := time.Now()
		ws.wait(t.Context(), map[string][]int32{"t": {0}})
		if took := time.Since(begin); took < time.Second || took > time.Second+10*time.Millisecond {
			t.Errorf("waited %v for work of 1s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ws.wait(ctx, map[string][]int32{"t": {1}})
		if ctx.Err() == nil {
			t.Error("did not wait for the work on partition 1")
		}
	})
}

// TestCommitsFollowTheWork: whatever the order in which records are polled, end, are committed, or fail to be, the
// commit is the offset behind the longest run of finished records.
func TestCommitsFollowTheWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ws windows
		var ends []func(bool)
		var state []int // of each record: 0 in work, 1 finished, 2 unfinished
		committed := int64(0)
		for range rapid.IntRange(1, 60).Draw(t, "actions") {
			switch action := rapid.IntRange(0, 3).Draw(t, "action"); {
			case action == 0:
				ends, state = append(ends, polled(&ws, 0, int64(len(ends)))), append(state, 0)
			case action < 3 && len(ends) > 0:
				i := rapid.IntRange(0, len(ends)-1).Draw(t, "record")
				if state[i] == 0 {
					state[i] = 1 + rapid.IntRange(0, 9).Draw(t, "unfinished")/9
					ends[i](state[i] == 1)
				}
			case action == 3:
				now := ws.finished()
				if rapid.Bool().Draw(t, "fails") {
					ws.uncommit(now)
				} else if next, ok := now["t"][0]; ok {
					committed = next.Offset
				}
			}
		}
		if next, ok := ws.finished()["t"][0]; ok {
			committed = next.Offset
		}
		want := int64(0)
		for want < int64(len(state)) && state[want] == 1 {
			want++
		}
		if committed != want {
			t.Fatalf("committed %d of %v, want %d", committed, state, want)
		}
	})
}
