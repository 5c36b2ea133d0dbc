// Package intern gives equal keys equal numbers, to compare and index by.
package intern

import "iter"

// Table numbers keys from 0, in the order in which they are added. The zero Table is empty. Up to a few keys it is a list, as most sets have few of each kind
// and there are many small sets; beyond, a lookup is that of a map.
type Table[K comparable] struct {
	keys    []K         // by number
	numbers map[K]int32 // nil for few keys
	last    int32       // neighbors in the input tend to be equal, so the last key is tried first
}

const few = 8

// Of returns the number of a key. A new key gets the next number.
func (t *Table[K]) Of(key K) int32 {
	if int(t.last) < len(t.keys) && t.keys[t.last] == key {
		return t.last
	}
	n, ok := t.Lookup(key)
	if !ok {
		n = t.add(key)
	}
	t.last = n
	return n
}

func (t *Table[K]) add(key K) int32 {
	n := int32(len(t.keys))
	if n == 0 {
		t.keys = make([]K, 0, few/2)
	}
	t.keys = append(t.keys, key)
	switch {
	case t.numbers != nil:
		t.numbers[key] = n
	case len(t.keys) > few:
		t.numbers = make(map[K]int32, 2*len(t.keys))
		for n, key := range t.keys {
			t.numbers[key] = int32(n)
		}
	}
	return n
}

// Lookup returns the number of a key, and false for a key that has none.
func (t *Table[K]) Lookup(key K) (int32, bool) {
	if t.numbers != nil {
		n, ok := t.numbers[key]
		return n, ok
	}
	for n := range t.keys {
		if t.keys[n] == key {
			return int32(n), true
		}
	}
	return 0, false
}

// Len returns how many keys have numbers.
func (t *Table[K]) Len() int { return len(t.keys) }

// All yields the keys with their numbers, in their order.
func (t *Table[K]) All() iter.Seq2[K, int32] {
	return func(yield func(K, int32) bool) {
		for n, key := range t.keys {
			if !yield(key, int32(n)) {
				return
			}
		}
	}
}

// Keys returns the keys by their numbers. The table keeps the list.
func (t *Table[K]) Keys() []K { return t.keys }
