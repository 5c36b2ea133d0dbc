package tutorial

import (
	"fmt"
	"regexp"
	"strings"
)

// elision stands for any number of lines, or for any text inside of one.
const elision = "…"

// shapes replaces what differs from run to run before lines are compared.
var shapes = []struct {
	pattern *regexp.Regexp
	shown   string
}{
	{regexp.MustCompile(`\(!\)`), ""}, // marks figures of a machine that was too busy
	{regexp.MustCompile(`[█░▪▼▒▓×]+(?:\s*[█░▪▼▒▓×]+)*`), "█"},
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "ID"},
	{regexp.MustCompile(`\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b`), "ID"},
	{regexp.MustCompile(`\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T-][0-9:.-]+Z?\b`), "TIME"},
	{regexp.MustCompile(`[-–−+]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?(?:h[0-9.]+m)?(?: ?(?:ns|µs|ms|s|min|m|kB|MB|GB)\b)?`), "#"},
}

// shape returns a line without what differs from run to run. A line that is a whole number and nothing else is a count,
// which is compared as it is.
func shape(line string) string {
	if count := strings.TrimSpace(line); count != "" && strings.Trim(count, "0123456789") == "" {
		return count
	}
	for _, s := range shapes {
		line = s.pattern.ReplaceAllString(line, s.shown)
	}
	return strings.Join(strings.Fields(line), " ")
}

// sameShape compares a line of a page, in which an elision stands for any text, with a line that was printed.
func sameShape(want, got string) bool {
	parts := strings.Split(shape(want), elision)
	got = shape(got)
	if len(parts) == 1 {
		return parts[0] == got
	}
	first, last := strings.TrimSpace(parts[0]), strings.TrimSpace(parts[len(parts)-1])
	if !strings.HasPrefix(got, first) || !strings.HasSuffix(got[len(first):], last) {
		return false
	}
	middle := got[len(first) : len(got)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, ok := strings.Cut(middle, strings.TrimSpace(part))
		if !ok {
			return false
		}
		middle = rest
	}
	return true
}

// Compare returns an error that says where the output differs from what the page shows. Blank lines do not count.
func Compare(want []string, printed string) error {
	_, err := match(want, printed)
	return err
}

// match finds, for each line of the page, the index of the printed line that it stands for, -1 for blank lines and elisions.
func match(want []string, printed string) ([]int, error) {
	lines := strings.Split(strings.TrimRight(printed, "\n"), "\n")
	found := make([]int, len(want))
	at, free := 0, false // free: the line before was an elision
	for i, line := range want {
		found[i] = -1
		switch strings.TrimSpace(line) {
		case "":
			continue
		case elision:
			free = true
			continue
		}
		for at < len(lines) && !sameShape(line, lines[at]) && (free || blank(lines[at])) {
			at++
		}
		if at == len(lines) || !sameShape(line, lines[at]) {
			got := "the end"
			if at < len(lines) {
				got = fmt.Sprintf("%q", lines[at])
			}
			return found, fmt.Errorf("line %d of the output: the page shows %q, the command prints %s", i+1, line, got)
		}
		found[i], free = at, false
		at++
	}
	for ; !free && at < len(lines); at++ {
		if !blank(lines[at]) {
			return found, fmt.Errorf("the command prints more than the page shows: %q", lines[at])
		}
	}
	return found, nil
}

func blank(line string) bool { return strings.TrimSpace(line) == "" }
