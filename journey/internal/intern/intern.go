// Package intern gives equal keys equal numbers, to compare and index by.
package intern

import (
	"iter"
	"maps"
)

// Table numbers keys from 0, in the order in which they are added. The zero Table is empty.
type Table[K comparable] struct {
	numbers map[K]int32
	last    K // neighbors in the input tend to be equal, so the last key is tried first
	number  int32
}

// Of returns the number of a key. A new key gets the next number.
func (t *Table[K]) Of(key K) int32 {
	if t.numbers != nil && key == t.last {
		return t.number
	}
	if t.numbers == nil {
		t.numbers = make(map[K]int32)
	}
	n, ok := t.numbers[key]
	if !ok {
		n = int32(len(t.numbers))
		t.numbers[key] = n
	}
	t.last, t.number = key, n
	return n
}

// Lookup returns the number of a key, and false for a key that has none.
func (t *Table[K]) Lookup(key K) (int32, bool) {
	n, ok := t.numbers[key]
	return n, ok
}

// Len returns how many keys have numbers.
func (t *Table[K]) Len() int { return len(t.numbers) }

// All yields the keys with their numbers, in no order.
func (t *Table[K]) All() iter.Seq2[K, int32] { return maps.All(t.numbers) }

// Keys returns the keys by their numbers.
func (t *Table[K]) Keys() []K {
	list := make([]K, len(t.numbers))
	for key, n := range t.numbers {
		list[n] = key
	}
	return list
}
