package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"tracelab/journey/format"
)

// TestRunMarkdown compares the Markdown of a run with its text: the same figures, in tables whose rows have as many cells as their heads, and nothing
// of the run that could be taken for Markdown.
func TestRunMarkdown(t *testing.T) {
	t.Parallel()
	result, _ := do(t, "--forms", "grpc,kafka", "--orders", "4", "--fault", "payment:delay=5ms@0.5", "--event", "10ms:pause:analytics", "--event", "20ms:start:analytics")
	result.Warnings = append(result.Warnings, "from <b>outside</b> | @you `x` ```")
	result.Problems = append(result.Problems, "one *bold* problem")
	var text, markdown strings.Builder
	if err := result.WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if err := result.WriteMarkdown(&markdown); err != nil {
		t.Fatal(err)
	}
	page := markdown.String()
	plain := strings.ReplaceAll(page, `\`, "")
	for line := range strings.Lines(text.String()) {
		for _, figure := range regexp.MustCompile(`-?[0-9.]+ (ms|µs|s) \[[^]]*\]|[0-9]+ = [0-9]+( \+ [0-9]+)*`).FindAllString(line, -1) {
			if !strings.Contains(plain, strings.TrimSpace(figure)) {
				t.Errorf("no %q of the text in the Markdown", figure)
			}
		}
	}
	for _, want := range []string{
		"### 4 orders in each of 2 forms", "| caller wait |", "| against grpc, order by order |", "| who feels the fault |", "<details><summary>Next</summary>",
		"What was done to parts of the lab", "from &lt;b&gt;outside&lt;/b&gt; | @\u200byou", "- **PROBLEM: one *bold* problem**",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	cells := 0
	for line := range strings.Lines(page) {
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			cells = 0
		case cells == 0:
			cells = n
		case n != cells:
			t.Errorf("a row of %d cells in a table of %d: %s", n-1, cells-1, line)
		}
	}
	var out, talk bytes.Buffer
	if status := run(t.Context(), strings.Fields("run --orders 1 --warm-up 0 --forms grpc --format markdown --out "+t.TempDir()), nil, &out, &talk); status != exitDone || !strings.HasPrefix(out.String(), "### 1 order of the form grpc") {
		t.Errorf("exit status %d: %s%s", status, out.String(), talk.String())
	}
}
