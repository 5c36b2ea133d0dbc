package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tracelab/journey"
)

// Root is what journeys of one kind begin with. The zero Root is that of journeys without one.
type Root struct {
	Service string `json:"service"`
	Name    string `json:"name"` // with {id} for each part that looks like an identifier
}

// RootOf returns the root of a journey.
func RootOf(j *journey.Journey) Root {
	i, ok := j.Root()
	if !ok {
		return Root{}
	}
	span := j.Set().Span(i)
	return Root{span.Service, NormalizeName(span.Name)}
}

// String writes service and name, or that there is none.
func (r Root) String() string {
	if r == (Root{}) {
		return "no root"
	}
	return r.Service + " " + r.Name
}

// Contains reports whether the root as String writes it contains a text, whatever the case of its letters.
func (r Root) Contains(text string) bool {
	return strings.Contains(strings.ToLower(r.String()), strings.ToLower(text))
}

// HasRoot chooses the journeys whose root contains a text: see Root.Contains.
func HasRoot(text string) func(*journey.Journey) bool {
	return func(j *journey.Journey) bool { return RootOf(j).Contains(text) }
}

// HasAttribute chooses the journeys that have a span with an attribute of that value.
func HasAttribute(key, value string) func(*journey.Journey) bool {
	return func(j *journey.Journey) bool {
		return slices.ContainsFunc(j.Spans(), func(i journey.Index) bool {
			v, ok := j.Set().Span(i).Attr(key)
			return ok && v.String() == value
		})
	}
}

// RootComparison is a comparison of the journeys of one root. Groups without such journeys are not in it.
type RootComparison struct {
	Root        Root
	Groups      []GroupSummary
	Differences []Difference
	Nodes       []Node
}

// OneSidedRoot is a root that cannot be compared: the first group, or all of the others, have no journey of it.
type OneSidedRoot struct {
	Root
	Journeys   []int // by group, those that are whole
	Incomplete []int // by group, those that are not, and in no figure
}

// LeftOut counts the journeys of a group that are in no figure because they are incomplete.
func (r OneSidedRoot) LeftOut(group int) int {
	if group >= 0 && group < len(r.Incomplete) {
		return r.Incomplete[group]
	}
	return 0
}

// rootGroups are the journeys of one root, by group.
type rootGroups struct {
	root   Root
	groups []Group
}

func (r *rootGroups) journeys() int {
	n := 0
	for _, g := range r.groups {
		n += g.size()
	}
	return n
}

// comparable reports that the first group and another have journeys of the root.
func (r *rootGroups) comparable() bool {
	return r.groups[0].size() > 0 && slices.ContainsFunc(r.groups[1:], func(g Group) bool { return g.size() > 0 })
}

// present drops the groups without journeys.
func (r *rootGroups) present() []Group {
	return slices.DeleteFunc(slices.Clone(r.groups), func(g Group) bool { return g.size() == 0 })
}

// splitRoots splits the journeys of groups by their roots, those with the most journeys first.
func splitRoots(groups []Group) []rootGroups {
	var list []rootGroups
	at := make(map[Root]int)
	for g, group := range groups {
		for root, part := range group.byRoot() {
			i, ok := at[root]
			if !ok {
				i = len(list)
				at[root] = i
				empty := make([]Group, len(groups))
				for k := range groups {
					empty[k].Name, empty[k].noInterval = groups[k].Name, groups[k].noInterval
				}
				list = append(list, rootGroups{root, empty})
			}
			list[i].groups[g] = part
		}
	}
	slices.SortFunc(list, func(a, b rootGroups) int {
		return cmp.Or(cmp.Compare(b.journeys(), a.journeys()), strings.Compare(a.root.Service, b.root.Service), strings.Compare(a.root.Name, b.root.Name))
	})
	return list
}

// oneKind reports that no group has journeys of more than one root, so that groups can be compared as they are. The warning
// tells of groups with different roots.
func oneKind(groups []Group, list []rootGroups) (ok bool, warning string) {
	if len(list) <= 1 {
		return true, ""
	}
	var kinds []string
	for g, group := range groups {
		n := 0
		for _, r := range list {
			if r.groups[g].size() > 0 || len(r.groups[g].leftOut()) > 0 {
				n++
				kinds = append(kinds, fmt.Sprintf("those of %s with %s", group.Name, r.root))
			}
		}
		if n > 1 {
			return false, ""
		}
	}
	return true, "the journeys begin with different roots and are compared all the same: " + strings.Join(kinds, ", ")
}

// byRoot splits the journeys of a group by their roots.
func (g Group) byRoot() map[Root]Group {
	parts := make(map[Root]Group)
	if g.Baseline != nil {
		for i := range g.Baseline.Roots {
			r := &g.Baseline.Roots[i]
			one := *g.Baseline
			one.Roots = g.Baseline.Roots[i : i+1]
			parts[r.Root] = Group{Name: g.Name, Baseline: &one, Doubt: g.Doubt}.weigh()
		}
		return parts
	}
	part := func(root Root) Group {
		part, ok := parts[root]
		if !ok {
			part = Group{Name: g.Name, Doubt: g.Doubt, complete: g.complete, sampling: g.sampling}
		}
		return part
	}
	for i, j := range g.Journeys {
		root := RootOf(j)
		part := part(root)
		part.Journeys = append(part.Journeys, j)
		if g.Runs != nil {
			part.Runs = append(part.Runs, g.Runs[i])
		}
		parts[root] = part
	}
	for _, x := range g.left {
		part := part(x.root)
		part.left = append(part.left, x)
		parts[x.root] = part
	}
	for root, part := range parts {
		parts[root] = part.weigh()
	}
	return parts
}
