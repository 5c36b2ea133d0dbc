// Package vocabulary has the error for a word that is not in a list: of services, forms, parts, kinds of faults.
package vocabulary

import (
	"fmt"
	"strings"
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
