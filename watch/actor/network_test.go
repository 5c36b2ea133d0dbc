package actor_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/watch/actor"
	"tracelab/watch/record"
)

// network passes records between partitions, as the work topic does: in each partition in an order that is drawn.
type network struct {
	t          *rapid.T
	config     actor.Config
	partitions []*actor.Partition
	logs       [][]record.Record // by partition: all that was ever sent to it
	next       []int             // by partition: the position in its log to handle next
	known      []int             // by partition: positions below it were handled once, so their order is what it is
	verdicts   map[journey.TraceID][]string
	now        time.Duration
	behind     bool // the group is not up to date: time stands still for it
	bounded    bool // a call of Advance looks at a few traces only
}

func newNetwork(t *rapid.T, partitions int, config actor.Config) *network {
	n := &network{t: t, config: config, logs: make([][]record.Record, partitions), next: make([]int, partitions), known: make([]int, partitions), verdicts: make(map[journey.TraceID][]string)}
	for range partitions {
		n.partitions = append(n.partitions, actor.New(config))
	}
	return n
}

// post puts a record on the topic, by its bytes.
func (n *network) post(r record.Record) {
	x, err := record.Decode(r.Append(nil))
	if err != nil {
		n.t.Fatal(err)
	}
	k := record.Partition(x.To, int32(len(n.partitions)))
	n.logs[k] = append(n.logs[k], x)
}

// take sends what a partition has to send, and keeps its verdicts.
func (n *network) take(k int) {
	send, verdicts := n.partitions[k].Take()
	for _, r := range send {
		n.post(r)
	}
	for _, v := range verdicts {
		n.verdicts[v.Root] = append(n.verdicts[v.Root], canonical(v.Journey))
	}
}

// waits returns how many records of a partition wait.
func (n *network) waits(k int) int { return len(n.logs[k]) - n.next[k] }

// step handles one record of a partition: any of those that were not handled yet, which comes first in the log then. A partition that is read again has the
// order that it had. It reports whether there was one.
func (n *network) step() bool {
	var busy []int
	for k := range n.logs {
		if n.waits(k) > 0 {
			busy = append(busy, k)
		}
	}
	if len(busy) == 0 {
		return false
	}
	k := busy[rapid.IntRange(0, len(busy)-1).Draw(n.t, "partition")]
	at := n.next[k]
	if at >= n.known[k] {
		any := at + rapid.IntRange(0, n.waits(k)-1).Draw(n.t, "record")
		r := n.logs[k][any]
		n.logs[k] = slices.Insert(slices.Delete(n.logs[k], any, any+1), at, r)
		n.known[k] = at + 1
	}
	n.handle(k)
	if rapid.IntRange(0, 1).Draw(n.t, "take") == 0 {
		n.take(k)
	}
	return true
}

// handle handles the next record of a partition.
func (n *network) handle(k int) {
	at := n.next[k]
	n.next[k]++
	n.partitions[k].Handle(n.logs[k][at], int64(at))
}

// drain handles all that waits, and all that comes of it.
func (n *network) drain() {
	for {
		for n.step() {
		}
		for k := range n.partitions {
			n.take(k)
		}
		if !slices.ContainsFunc(numbers(len(n.logs)), func(k int) bool { return n.waits(k) > 0 }) {
			return
		}
	}
}

// advance lets gated time pass.
func (n *network) advance(by time.Duration) {
	if !n.behind {
		n.now += by
	}
	for k, p := range n.partitions {
		var more func() bool
		if n.bounded {
			more = atMost(rapid.IntRange(0, 3).Draw(n.t, "looks"))
		}
		p.Advance(actor.Time{Gated: n.now, Wall: n.now, Ready: !n.behind}, more)
		n.take(k)
	}
}

// atMost returns a function that returns true n times.
func atMost(n int) func() bool {
	return func() bool {
		n--
		return n >= 0
	}
}

// compare compares the verdicts with what is wanted of all spans: each once, none wrong.
func (n *network) compare(want map[journey.TraceID]string) {
	for trace, text := range want {
		switch got := n.verdicts[trace]; {
		case len(got) == 0:
			n.t.Fatalf("the root of %s was not judged; want\n%s", trace, text)
		case len(got) > 1:
			n.t.Fatalf("the root of %s was judged %d times:\n%s", trace, len(got), strings.Join(got, "\n"))
		case got[0] != text:
			n.t.Fatalf("the root of %s:\n%s\nwant\n%s", trace, got[0], text)
		}
	}
	for trace, got := range n.verdicts {
		if _, ok := want[trace]; !ok {
			n.t.Fatalf("%s has no root, and was judged:\n%s", trace, strings.Join(got, "\n"))
		}
	}
}
