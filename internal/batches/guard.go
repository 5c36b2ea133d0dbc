// Package batches decompresses the record batches that a Kafka client reads, within a limit, and keeps the client going behind those that it cannot
// decompress.
package batches

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// tellTime is how long the client has to tell of a batch before the partition's offset is set anew, the first time; it doubles each time, up to
	// mostTellTime, as a client that is polled seldom tells late.
	tellTime     = time.Second
	mostTellTime = time.Minute

	// wakeInterval is the time between two calls of wake.
	wakeInterval = time.Second
)

// Guard bounds how many bytes the batches become that one client reads. A batch that becomes more, or that cannot be decompressed at all, costs its own records
// alone: hand the errors of fetches to Skip.
//
// With the client's own decompressor a damaged batch stops its partition, as the client reads it again and again; so does one of zstd whose window is larger
// than the limit, which is 2 MiB for many producers, however small the batch is. With this one the client stops the partition, too, and tells of it in a fetch,
// once: when the offset of any other partition is set, a group is balanced or a leader moves before the fetch is polled, the client drops it, and the partition
// would stay stopped for good, without a word. So a Guard listens to what the client logs, and sets the partition's offset to the same batch again until the
// client has told.
//
// And it wakes the client once a second: a loop of the client that fetches from a broker ends for good, though there is something to fetch, when a session of
// fetches ends just as the loop has begun with it (its hardFinish discards that another session has asked it to go on). Offsets that are set one after another
// end sessions one after another; so do rebalances.
type Guard struct {
	limit   int
	setting sync.Mutex // held while offsets are set: what is told must not be set again afterwards

	mu      sync.Mutex // never held while offsets are set: the client waits then for those who log
	client  *kgo.Client
	waking  *time.Timer
	stopped map[place]*stop
	sets    int32 // so many offsets were set again
}

// place is a partition.
type place struct {
	topic     string
	partition int32
}

// stop is a partition that the client has stopped, and not told of.
type stop struct {
	offset int64 // of the batch
	wait   time.Duration
	again  *time.Timer
}

// NewGuard returns a guard for one client, whose batches become no more than so many bytes each.
func NewGuard(limit int) *Guard { return &Guard{limit: limit, stopped: map[place]*stop{}} }

// Options are for the client. They take the place of its logger, of which nothing else is heard.
func (g *Guard) Options() []kgo.Opt {
	return []kgo.Opt{kgo.WithDecompressor(&decompressor{limit: g.limit}), kgo.WithLogger(ear{g}), kgo.WithHooks(life{g})}
}

// Skip makes the client go on behind a batch that it could not decompress, and returns that batch. It returns nil for all other errors of a fetch, after which
// the client tries again by itself. Call it where the client is polled, before rebalances are allowed again.
func (g *Guard) Skip(topic string, partition int32, err error) *kgo.ErrDecompressTooLarge {
	bad, ok := errors.AsType[*kgo.ErrDecompressTooLarge](err)
	if !ok {
		return nil
	}
	g.setting.Lock()
	defer g.setting.Unlock()
	if client := g.told(place{topic, partition}); client != nil {
		client.SetOffsets(offset(place{topic, partition}, bad.Epoch, bad.NextOffset))
	}
	return bad
}

// Forget tells that partitions of a group are lost or revoked: whoever gets them begins anew, also this client.
func (g *Guard) Forget(gone map[string][]int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for topic, partitions := range gone {
		for _, partition := range partitions {
			g.forget(place{topic, partition})
		}
	}
}

// told forgets a partition of which the client has told, and returns the client; nil once it is closed.
func (g *Guard) told(p place) *kgo.Client {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(p)
	return g.client
}

// forget is called with the lock.
func (g *Guard) forget(p place) {
	if s := g.stopped[p]; s != nil {
		s.again.Stop()
		delete(g.stopped, p)
	}
}

// stop notes that the client has stopped a partition at a batch.
func (g *Guard) stop(p place, offset int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := tellTime
	if s := g.stopped[p]; s != nil && s.offset == offset { // it was set, and the client has come to the batch again
		wait = min(2*s.wait, mostTellTime)
	}
	g.forget(p)
	s := &stop{offset: offset, wait: wait}
	s.again = time.AfterFunc(wait, func() { g.setAgain(p, s) })
	g.stopped[p] = s
}

// setAgain has the client read a batch again of which it has not told in time. It does so once: the client logs when it has come to the batch again. It does
// not where the broker has it no more.
func (g *Guard) setAgain(p place, s *stop) {
	g.setting.Lock()
	defer g.setting.Unlock()
	g.mu.Lock()
	client, untold := g.client, g.stopped[p] == s
	g.sets++
	// The client passes over an offset that it has already, with its epoch. Each epoch below zero means that none is known, so one of its own makes it another.
	epoch := -1 - g.sets
	g.mu.Unlock()
	if client == nil || !untold {
		return
	}
	client.SetOffsets(offset(p, epoch, s.offset))
}

// offset is one offset as the client takes it.
func offset(p place, epoch int32, at int64) map[string]map[int32]kgo.EpochOffset {
	return map[string]map[int32]kgo.EpochOffset{p.topic: {p.partition: {Epoch: epoch, Offset: at}}}
}

// life follows the client's life.
type life struct{ *Guard }

// OnNewClient implements kgo.HookNewClient.
func (l life) OnNewClient(client *kgo.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.client = client
	l.waking = time.AfterFunc(wakeInterval, l.wake)
}

// wake has the client begin to fetch from each broker that it does not fetch from, if there is anything to fetch.
func (l life) wake() {
	l.mu.Lock()
	client := l.client
	l.mu.Unlock()
	if client == nil {
		return
	}
	client.ResumeFetchPartitions(nil) // resumes nothing, and wakes
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client != nil {
		l.waking.Reset(wakeInterval)
	}
}

// OnClientClosed implements kgo.HookClientClosed.
func (l life) OnClientClosed(*kgo.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.client = nil
	l.waking.Stop()
	for p := range l.stopped {
		l.forget(p)
	}
}

// ear hears from the client's log of partitions that it stops: it is the only place where it tells of all of them.
type ear struct{ *Guard }

// Level implements kgo.Logger.
func (ear) Level() kgo.LogLevel { return kgo.LogLevelError }

// stopping begins what the client logs when it stops a partition.
const stopping = "batch decompresses larger than"

// Log implements kgo.Logger.
func (e ear) Log(_ kgo.LogLevel, message string, values ...any) {
	if !strings.HasPrefix(message, stopping) {
		return
	}
	var p place
	at := int64(-1)
	for pair := range slices.Chunk(values, 2) {
		switch v := pair[len(pair)-1].(type) {
		case string:
			if pair[0] == "topic" {
				p.topic = v
			}
		case int32:
			if pair[0] == "partition" {
				p.partition = v
			}
		case int64:
			if pair[0] == "offset" {
				at = v
			}
		}
	}
	if p.topic != "" && at >= 0 {
		e.stop(p, at)
	}
}
