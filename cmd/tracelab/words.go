package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"tracelab/services"
)

// suggestion is the nearest right word for one that names nothing, or "".
func suggestion(err error) string {
	unknown, ok := errors.AsType[*services.UnknownError](err)
	if !ok || len(unknown.Known) == 0 {
		return ""
	}
	nearest := slices.MinFunc(unknown.Known, func(a, b string) int { return distance(unknown.Word, a) - distance(unknown.Word, b) })
	if distance(unknown.Word, nearest) > max(2, len(unknown.Word)/2) {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest)
}

func distance(a, b string) int {
	return levenshtein.ComputeDistance(strings.ToLower(a), strings.ToLower(b))
}
