package otelamqp

import "fmt"

// Relation says how a process span refers to the creation context of its
// message, the span that sent it.
//
// The message's baggage reaches the handler in every relation.
type Relation uint8

const (
	// RelationBoth makes the creation context the parent of the process span
	// and links to it: one trace for those who look at traces, a link for
	// those who count links. It is the default.
	RelationBoth Relation = iota
	// RelationParent makes the creation context the parent, without a link.
	RelationParent
	// RelationLink starts a new trace for every message and links back, as the
	// messaging conventions advise.
	RelationLink
)

var relationNames = [...]string{RelationBoth: "both", RelationParent: "parent", RelationLink: "link"}

// String returns both, parent or link.
func (r Relation) String() string {
	if int(r) < len(relationNames) {
		return relationNames[r]
	}
	return fmt.Sprintf("relation(%d)", uint8(r))
}

// ParseRelation is the inverse of Relation.String.
func ParseRelation(s string) (Relation, error) {
	for r, name := range relationNames {
		if s == name {
			return Relation(r), nil
		}
	}
	return RelationBoth, fmt.Errorf("relation %q is not known: use both, parent or link", s)
}
