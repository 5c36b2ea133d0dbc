package measure

import "tracelab/journey"

// seen remembers the last keys of each partition.
type seen struct {
	limit      int // keys of each partition
	partitions map[int32]*keyRing
}

// keyRing is a set of keys that drops the oldest when it is full.
type keyRing struct {
	keys  map[journey.TraceID]struct{}
	order []journey.TraceID
	next  int // where the oldest one is, when the ring is full
}

// add remembers a key, and returns false for one that it knows.
func (s *seen) add(partition int32, key journey.TraceID) bool {
	r := s.partitions[partition]
	if r == nil {
		r = &keyRing{keys: map[journey.TraceID]struct{}{}}
		s.partitions[partition] = r
	}
	if _, known := r.keys[key]; known {
		return false
	}
	r.keys[key] = struct{}{}
	if len(r.order) < s.limit {
		r.order = append(r.order, key)
		return true
	}
	delete(r.keys, r.order[r.next])
	r.order[r.next] = key
	r.next = (r.next + 1) % s.limit
	return true
}
