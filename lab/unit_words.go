package lab

import (
	"cmp"
	"fmt"
	"strings"

	"tracelab/internal/vocabulary"
	"tracelab/services/flows"
)

// unitWord is what a flow calls what it is done for, such as order or ride: a report counts these.
type unitWord string

// unitOf is the word of a flow.
func unitOf(f *flows.Flow) unitWord { return unitWord(f.Unit) }

// unit is the word of the run's flow.
func (r *Result) unit() unitWord { return unitWord(cmp.Or(r.Unit, flows.Order().Unit)) }

// many is the plural.
func (u unitWord) many() string { return vocabulary.Plural(string(u)) }

// one is the word with its article.
func (u unitWord) one() string {
	if strings.ContainsAny(string(u[:1]), "aeio") { // a unit
		return "an " + string(u)
	}
	return "a " + string(u)
}

// count writes how many there are, with what is said of one or of several: "is", "are"; "" for nothing.
func (u unitWord) count(n int, one, many string) string {
	if n == 1 {
		return strings.TrimSpace(fmt.Sprintf("1 %s %s", u, one))
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", n, u.many(), many))
}

// capital is a text with a capital letter in front.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
