package otelkgo

import (
	"maps"
	"sync"
	"sync/atomic"
)

// topics are the topics of one client by name. Looking up one of those that are
// in use costs no lock and no allocation.
type topics struct {
	settled atomic.Pointer[map[string]*topicState] // replaced, never changed
	mu      sync.Mutex
	// fresh are not in settled yet; misses counts the look-ups that found one
	// there. They are merged when copying settled costs no more than those
	// look-ups, so that many topics do not copy it many times.
	fresh  map[string]*topicState
	misses int
}

// get returns the state of a topic. Beyond maxTopics new ones are not kept.
func (t *topics) get(cs *clientState, name string) *topicState {
	settled := t.settled.Load()
	if settled != nil {
		if ts := (*settled)[name]; ts != nil {
			return ts
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	settled = t.settled.Load()
	known := 0
	if settled != nil {
		if ts := (*settled)[name]; ts != nil {
			return ts
		}
		known = len(*settled)
	}
	ts := t.fresh[name]
	if ts == nil {
		ts = newTopicState(cs, name)
		if known+len(t.fresh) >= maxTopics {
			return ts
		}
		if t.fresh == nil {
			t.fresh = map[string]*topicState{}
		}
		t.fresh[name] = ts
	}
	if t.misses++; t.misses > known {
		t.settle(settled)
	}
	return ts
}

// settle merges fresh into settled. The caller holds t.mu.
func (t *topics) settle(settled *map[string]*topicState) {
	merged := t.fresh
	if settled != nil {
		merged = maps.Clone(*settled)
		maps.Copy(merged, t.fresh)
	}
	t.settled.Store(&merged)
	t.fresh, t.misses = nil, 0
}
