package intern_test

import (
	"testing"

	"tracelab/journey/internal/intern"
)

// A table numbers keys in their order, few and many.
func TestTable(t *testing.T) {
	var x intern.Table[int]
	if _, known := x.Lookup(0); known || x.Len() != 0 || len(x.Keys()) != 0 {
		t.Error("the zero table has a key")
	}
	for k := range 40 {
		if _, known := x.Lookup(-k - 1); known {
			t.Fatalf("a key is known before it is added, after %d", k)
		}
		for again := range k + 1 { // all older ones, and the new one
			if n := x.Of(-again - 1); int(n) != again {
				t.Fatalf("of %d keys, the number of %d is %d", k+1, again, n)
			}
			if n, known := x.Lookup(-again - 1); !known || int(n) != again {
				t.Fatalf("of %d keys, the number of %d is %d, %v", k+1, again, n, known)
			}
		}
		if x.Len() != k+1 || len(x.Keys()) != k+1 || x.Keys()[k] != -k-1 {
			t.Fatalf("%d keys, want %d", x.Len(), k+1)
		}
	}
	next := 0
	for key, n := range x.All() {
		if int(n) != next || key != -next-1 {
			t.Fatalf("key %d is %d, %d", next, n, key)
		}
		next++
	}
	if next != 40 {
		t.Errorf("%d keys, want 40", next)
	}
}
