package services

import "tracelab/internal/vocabulary"

// Relation is how a consumer's span refers to the producer's.
type Relation int

// The relations. RelationBoth is the default.
const (
	RelationBoth   Relation = iota // parent and link
	RelationParent                 // parent only: one trace
	RelationLink                   // link only: a trace of its own for each consumer
)

// Relations lists the relations.
func Relations() []Relation { return []Relation{RelationBoth, RelationParent, RelationLink} }

// String is the relation's name.
func (r Relation) String() string {
	switch r {
	case RelationBoth:
		return "both"
	case RelationParent:
		return "parent"
	case RelationLink:
		return "link"
	default:
		return "unknown"
	}
}

// ParseRelation finds a relation by its name.
func ParseRelation(name string) (Relation, error) {
	var known []string
	for _, relation := range Relations() {
		if relation.String() == name {
			return relation, nil
		}
		known = append(known, relation.String())
	}
	return RelationBoth, &vocabulary.UnknownError{What: "relation", Word: name, Known: known}
}

// refers tells whether the consumer's span has the producer's as its parent, and whether as a link.
func (r Relation) refers() (parent, link bool) { return r != RelationLink, r != RelationParent }
