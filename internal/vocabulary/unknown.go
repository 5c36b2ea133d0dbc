// Package vocabulary has the error for a word that is not in a list: of services, forms, parts, kinds of faults.
package vocabulary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// UnknownError reports a word that is not in a list.
type UnknownError struct {
	What  string // form, service, kind of fault, …
	Word  string
	Known []string
}

// Error names the word and the list.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("no %s %q: use one of %s", e.What, e.Word, strings.Join(e.Known, ", "))
}

// Nearest is the known word that is most like a wrong one, or "" when none is like it.
func Nearest(word string, known []string) string {
	if len(known) == 0 || len(word) > longestWord {
		return ""
	}
	distance := func(a string) int { return levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(a)) }
	nearest := slices.MinFunc(known, func(a, b string) int { return distance(a) - distance(b) })
	if distance(nearest) > max(2, len(word)/2) {
		return ""
	}
	return nearest
}

// longestWord is the most bytes of a word for which a likeness is looked for: that takes time in proportion to its square.
const longestWord = 200
