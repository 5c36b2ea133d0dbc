package lab_test

import (
	"slices"
	"strings"
	"testing"

	"tracelab/lab"
	"tracelab/services"
)

// structure is the shape of a journey: for each span its service, name and kind, and the service and name of what
// caused it; no ids, no times, no number of poll or commit.
func structure(j *drawn) string {
	var lines []string
	for _, i := range j.Spans() {
		cause := "nothing"
		if parent, ok := j.Set().Parent(i); ok {
			cause = j.name(parent)
		} else if causes := slices.Collect(j.Set().Causes(i)); len(causes) > 0 {
			cause = j.name(causes[0].From)
		}
		lines = append(lines, j.name(i)+" "+j.Set().Span(i).Kind.String()+" from "+cause)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// structures is the shape of each form's journeys, which must be one for all of a form's orders. Prefix is that of the
// topics, where it is not the run's own.
func structures(t *testing.T, result *lab.Result, prefix string) map[services.Form]string {
	t.Helper()
	found := map[services.Form]string{}
	for form := range result.Forms {
		for _, j := range groupOf(t, result, form, prefix) {
			s := structure(j)
			if first, ok := found[form]; ok && s != first {
				t.Errorf("%s: two structures:\n%s\n\nand\n%s", form, first, s)
			}
			found[form] = s
		}
	}
	if len(found) != len(result.Forms) {
		t.Errorf("journeys of %d forms, want %d", len(found), len(result.Forms))
	}
	return found
}
