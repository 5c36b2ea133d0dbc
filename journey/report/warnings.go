package report

import (
	"fmt"
	"strings"

	"tracelab/journey"
)

// maxAlike is how many warnings of one rule are shown one by one.
const maxAlike = 3

// CollapseWarnings makes one warning of those of a rule of which there are more than three: the first, with how many more there
// are. The others stay as they are.
func CollapseWarnings(warnings []journey.Warning) []journey.Warning {
	counts := make(map[journey.RuleID]int)
	for _, w := range warnings {
		counts[w.Rule] += 1 + w.More
	}
	var list []journey.Warning
	seen := make(map[journey.RuleID]bool)
	for _, w := range warnings {
		if n := counts[w.Rule]; w.Rule != "" && n > maxAlike {
			if seen[w.Rule] {
				continue
			}
			seen[w.Rule] = true
			w.Text, _, _ = strings.Cut(w.Text, "; and ")
			w.Text, w.More = fmt.Sprintf("%s; and %d more warnings of this kind", w.Text, n-1), n-1
		}
		list = append(list, w)
	}
	return list
}
