package compare

import (
	"cmp"
	"slices"
)

// structuresOf joins the structures of a group's roots, with their share of the whole group.
func (c *Comparison) structuresOf(group int, g Group, roots []rootGroups) []Structure {
	var list structureList
	at := make(map[Root]int, len(c.Roots))
	for i, x := range c.Roots {
		at[x.Root] = i
	}
	for _, r := range roots {
		part := r.groups[group]
		if part.size() == 0 {
			continue
		}
		i, compared := at[r.root]
		if !compared {
			table, trees := buildTrees(r.groups[group : group+1])
			list.add(trees[0].structures(table), part.weightOfAll())
			continue
		}
		for _, s := range c.Roots[i].Groups {
			if s.Name == g.Name {
				list.add(s.Structures, part.weightOfAll())
			}
		}
	}
	return list.shared()
}

// structureList are structures of several roots. While it grows, their shares are the weight of their journeys.
type structureList struct {
	list     []Structure
	weight   float64
	journeys int
}

// add appends the structures of one root, whose journeys have that weight together.
func (l *structureList) add(list []Structure, weight float64) {
	for _, x := range list {
		x.Share *= weight
		l.list = append(l.list, x)
		l.journeys += x.Journeys
	}
	l.weight += weight
}

// shared returns the structures with their share of all, the most frequent first. Where no journey stands for any, each counts
// once.
func (l *structureList) shared() []Structure {
	for i := range l.list {
		if x := &l.list[i]; l.weight > 0 {
			x.Share /= l.weight
		} else {
			x.Share = float64(x.Journeys) / float64(l.journeys)
		}
	}
	slices.SortStableFunc(l.list, func(a, b Structure) int { return cmp.Compare(b.Journeys, a.Journeys) })
	return l.list
}
