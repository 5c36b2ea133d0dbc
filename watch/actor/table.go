package actor

import (
	"iter"
	"slices"
)

// table is a map that takes little memory while it is small, as most of them are, and keeps its order. The zero table is empty. A list is
// searched up to fewKeys keys; beyond, a lookup is that of a map.
type table[K comparable, V any] struct{ rows *rows[K, V] }

// set is a table without values.
type set[K comparable] = table[K, struct{}]

type rows[K comparable, V any] struct {
	list []row[K, V]
	at   map[K]int32 // by key, where it is in the list; nil for few keys
}

type row[K comparable, V any] struct {
	value V // first: an empty one takes no memory there
	key   K
}

const fewKeys = 64

func (t table[K, V]) len() int {
	if t.rows == nil {
		return 0
	}
	return len(t.rows.list)
}

// find returns where a key is in the list, or -1.
func (t table[K, V]) find(key K) int {
	switch {
	case t.rows == nil:
		return -1
	case t.rows.at != nil:
		if at, known := t.rows.at[key]; known {
			return int(at)
		}
		return -1
	}
	for i := range t.rows.list {
		if t.rows.list[i].key == key {
			return i
		}
	}
	return -1
}

func (t table[K, V]) get(key K) (value V, known bool) {
	if i := t.find(key); i >= 0 {
		return t.rows.list[i].value, true
	}
	return value, false
}

// room makes room for n more keys.
func (t *table[K, V]) room(n int) {
	if n > 0 && t.rows == nil {
		t.rows = new(rows[K, V])
	}
	if n > 0 {
		t.rows.list = slices.Grow(t.rows.list, n)
	}
}

// at returns where the value of a key is, which is empty for a new key. That is good until the next key is added.
func (t *table[K, V]) at(key K) *V {
	i := t.find(key)
	if i < 0 {
		var none V
		t.put(key, none)
		i = t.len() - 1
	}
	return &t.rows.list[i].value
}

// of returns the value of a key, and an empty one for a key that is not there.
func (t table[K, V]) of(key K) (value V) {
	value, _ = t.get(key)
	return value
}

// put sets the value of a key, and reports whether the key is new.
func (t *table[K, V]) put(key K, value V) (added bool) {
	if i := t.find(key); i >= 0 {
		t.rows.list[i].value = value
		return false
	}
	if t.rows == nil {
		t.rows = new(rows[K, V])
	}
	r := t.rows
	if r.list = append(r.list, row[K, V]{value, key}); len(r.list) > fewKeys {
		if r.at == nil {
			r.at = make(map[K]int32, 2*fewKeys)
			for i := range r.list {
				r.at[r.list[i].key] = int32(i)
			}
		}
		r.at[key] = int32(len(r.list) - 1)
	}
	return true
}

// add adds a key without a value, and reports whether it is new.
func (t *table[K, V]) add(key K) (added bool) {
	var none V
	return t.find(key) < 0 && t.put(key, none)
}

// all returns the keys and values, the oldest key first.
func (t table[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if t.rows == nil {
			return
		}
		for i := range t.rows.list {
			if !yield(t.rows.list[i].key, t.rows.list[i].value) {
				return
			}
		}
	}
}
