package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shape lists every field of a document with its types, as "path: type". A list's elements are one path, and so are
// the fields of an object whose keys are data (the forms).
func shape(document any) []string {
	types := map[string]map[string]bool{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		kind := map[bool]string{true: "null"}[value == nil]
		switch v := value.(type) {
		case map[string]any:
			kind = "object"
			for key, field := range v {
				if path == ".forms" {
					key = "*"
				}
				walk(path+"."+key, field)
			}
		case []any:
			kind = "list"
			for _, element := range v {
				walk(path+"[]", element)
			}
		case string:
			kind = "string"
		case float64:
			kind = "number"
		case bool:
			kind = "bool"
		}
		if types[path] == nil {
			types[path] = map[string]bool{}
		}
		types[path][kind] = true
	}
	walk("", document)
	var lines []string
	for path, kinds := range types {
		lines = append(lines, path+": "+strings.Join(slices.Sorted(maps.Keys(kinds)), " or "))
	}
	slices.Sort(lines)
	return lines[:len(lines)-1] // all but the document itself
}

// holds compares a document's shape with a contract, in which a line that ends with "?" may be missing.
func holds(t *testing.T, document any, contract string) {
	t.Helper()
	got := shape(document)
	var want []string
	for line := range strings.Lines(contract) {
		line, optional := strings.CutSuffix(strings.TrimSpace(line), "?")
		if line != "" && (!optional || slices.Contains(got, line)) {
			want = append(want, line)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the contract has changed (-contract +document); names may be added, not renamed:\n%s", diff)
	}
}
