package actor

import "testing"

// A table is a map that keeps its order, small or large.
func TestTable(t *testing.T) {
	var x table[int, string]
	for k := range 3 * fewKeys {
		if _, known := x.get(k); known || !x.put(k, "a") || x.put(k, "b") || x.add(k) || x.len() != k+1 {
			t.Fatalf("key %d: known %v, %d keys", k, known, x.len())
		}
		for old := range k + 1 {
			if value, known := x.get(old); !known || value != "b" {
				t.Fatalf("of %d keys, %d is %q, %v", k+1, old, value, known)
			}
		}
	}
	next := 0
	for k, value := range x.all() {
		if k != next || value != "b" {
			t.Fatalf("key %d is %d, %q", next, k, value)
		}
		next++
	}
	if next != x.len() {
		t.Errorf("%d keys, want %d", next, x.len())
	}
}
