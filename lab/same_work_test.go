package lab_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// workOf lists what was done for each order of a form: its steps, with what each cost to the nanosecond, and what the client sent.
func workOf(t *testing.T, result *lab.Result, form services.Form) map[int][]string {
	t.Helper()
	work := map[int][]string{}
	for _, j := range group(t, result, form) {
		number, list := 0, []string{}
		for _, i := range j.Spans() {
			span := j.Set().Span(i)
			if n, ok := span.Attr(services.KeyNumber); ok {
				number, _ = strconv.Atoi(n.String())
			}
			if size, ok := span.Attr("http.request.body.size"); ok && span.Service == services.Gateway && span.Kind == journey.KindServer {
				list = append(list, "body of "+size.String()+" bytes")
			}
			if step, ok := span.Attr(services.KeyStep); ok {
				start, end := j.Set().Times(i)
				list = append(list, fmt.Sprintf("%s %d ns", step, end-start))
			}
		}
		slices.Sort(list)
		work[number] = list
	}
	return work
}

// otherWork says where two forms did not do the same; "" when they did.
func otherWork(a, b map[int][]string) string {
	if len(a) != len(b) || len(a) == 0 {
		return fmt.Sprintf("%d and %d orders", len(a), len(b))
	}
	for number, list := range a {
		for _, x := range list {
			if !slices.Contains(b[number], x) {
				return fmt.Sprintf("order %d: %s, and there is %s", number, x, strings.Join(b[number], ", "))
			}
		}
		if len(list) != len(b[number]) {
			return fmt.Sprintf("order %d: %d and %d pieces of work", number, len(list), len(b[number]))
		}
	}
	return ""
}

// checkSameWork: the same seed is the same work in all forms of a flow: the same steps for the same orders, each at the same cost.
func checkSameWork(t *testing.T, result *lab.Result, forms []services.Form) {
	t.Helper()
	first := workOf(t, result, forms[0])
	for number, list := range first {
		if !slices.ContainsFunc(list, func(x string) bool { return strings.HasPrefix(x, "body of ") }) {
			t.Errorf("order %d: nothing tells what the client sent: %v", number, list)
		}
	}
	for _, form := range forms[1:] {
		if other := otherWork(first, workOf(t, result, form)); other != "" {
			t.Errorf("%s does other work than %s: %s", form, forms[0], other)
		}
	}
}

// TestOtherWorkIsFound: one cell that differs in one form, a cost, a step that is left out, or a share, is found.
func TestOtherWorkIsFound(t *testing.T) {
	testkit.Unraced(t, "TestARunOfAnyFlow")
	t.Parallel() // in virtual time
	run := func(change ...string) map[int][]string {
		f, err := flows.Parse("sorting.yaml", []byte(strings.NewReplacer(change...).Replace(sorting)))
		if err != nil {
			t.Fatal(err)
		}
		var work map[int][]string
		virtually(t, func(c *lab.Config) { c.Flow, c.Forms, c.Orders = f, []services.Form{"messages"}, 4 }, func(t *testing.T, result *lab.Result) {
			work = workOf(t, result, "messages")
		})
		return work
	}
	same := run()
	for name, change := range map[string][]string{
		"the same":              {},
		"another cost":          {"wait: 9ms", "wait: 9001us"},
		"another spread":        {"wait: 9ms", "wait: 9ms, spread: 0.2"},
		"one step left out":     {"  archive.Keep: {after: desk.Take, message: sorting.kept, wait: 9ms}\n", "", ", archive.Keep: kafka", ""},
		"a step of other units": {"share: 0.5", "share: 0.9"},
	} {
		if found := otherWork(same, run(change...)); (found == "") != (name == "the same") {
			t.Errorf("%s: found %q", name, found)
		}
	}
}
