package offsets

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// deletedAfter is how long a broker may not know a topic yet that was created just now.
const deletedAfter = 10 * time.Second

// Deleted tells topics that were deleted, and perhaps made again, from those that a broker does not know yet. A topic that was made again has another id, which
// a client never takes that has read the first one: its process has to begin anew. The zero value has seen none. It is safe for use by several goroutines.
type Deleted struct {
	mu      sync.Mutex
	missing map[string]missing // by topic
}

// missing is since when, and when last, a broker did not know a topic's id.
type missing struct{ first, last time.Time }

// Saw takes the error of a fetch, and returns what to end the watcher with when the topic was deleted: it has been missing, without a pause, for 10 s.
func (d *Deleted) Saw(topic string, err error) error {
	if !errors.Is(err, kerr.UnknownTopicID) {
		return nil
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	m, again := d.missing[topic]
	if !again || now.Sub(m.last) >= deletedAfter {
		m.first = now
	}
	m.last = now
	if d.missing == nil {
		d.missing = map[string]missing{}
	}
	d.missing[topic] = m
	if now.Sub(m.first) < deletedAfter {
		return nil
	}
	return fmt.Errorf("topic %s was deleted: start the watcher again when the topic is there", topic)
}
