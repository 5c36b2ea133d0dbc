package simulation_test

import (
	"slices"
	"testing"

	"tracelab/experiments/model/simulation"
)

// A consumer hands out what it fetched partition by partition, and fetches what came meanwhile, from another partition on, as soon as nothing is left.
func TestPartitionsAreFetchedTogether(t *testing.T) {
	s := &simulation.Station{Workers: 1, Places: simulation.Unbounded, Partitions: 2}
	var served []string
	tickets := map[string]*simulation.Ticket{}
	enter := func(partition int, name string) {
		tickets[name] = s.EnterAt(partition, func() { served = append(served, name) })
	}
	enter(1, "a")
	enter(0, "b") // fetched alone, since nothing was in hand
	enter(1, "c")
	enter(0, "d")
	enter(1, "e")
	tickets["a"].Leave() // b begins, and c, d and e are fetched
	enter(1, "f")
	enter(0, "g")
	for i := 1; i < len(served); i++ {
		tickets[served[i]].Leave()
	}
	if want := []string{"a", "b", "c", "e", "d", "g", "f"}; !slices.Equal(served, want) {
		t.Errorf("served %v, want %v", served, want)
	}
}

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
