package simulation_test

import (
	"slices"
	"testing"

	"tracelab/experiments/model/simulation"
)

// Who leaves the queue makes its place free, and is passed over when a worker is.
func TestLeavingTheQueue(t *testing.T) {
	s := &simulation.Station{Workers: 1, Places: 2}
	var served []string
	enter := func(name string) *simulation.Ticket {
		return s.Enter(func() { served = append(served, name) })
	}
	a, b, c := enter("a"), enter("b"), enter("c")
	if enter("refused") != nil {
		t.Fatal("a third place was given")
	}
	b.Leave()
	b.Leave() // changes nothing
	d := enter("d")
	if d == nil {
		t.Fatal("the place of who left is not free")
	}
	if enter("refused") != nil {
		t.Fatal("a place was freed twice")
	}
	a.Leave()
	c.Leave()
	d.Leave()
	d.Leave()
	e, f := enter("e"), enter("f")
	if e == nil || f == nil || !slices.Equal(served, []string{"a", "c", "d", "e"}) {
		t.Errorf("served %v", served)
	}
}
