package doctor

import (
	"fmt"
	"io"
	"strings"
	"time"

	"tracelab/journey/format"
)

// Schema names the form of a report as JSON.
const Schema = "tracelab.doctor/v1"

// Status is how a check ended.
type Status string

// A check is skipped when there is nothing to look at, or when one that it builds on has failed.
const (
	OK      Status = "ok"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Check is one check and how it ended.
type Check struct {
	Name   string  `json:"name"`
	Status Status  `json:"status"`
	Seen   string  `json:"seen"`    // what was seen; for a skipped check, why
	Fix    string  `json:"fix"`     // what to do; "" unless it failed
	TookMS float64 `json:"took_ms"` // 0 when skipped
}

// Report is all checks, in the order of the chain.
type Report struct {
	Schema      string  `json:"schema"`
	Checks      []Check `json:"checks"`
	FirstBroken *string `json:"first_broken"` // the first check that failed, or null
}

func reportOf(checks []Check) Report {
	r := Report{Schema: Schema, Checks: checks}
	for i := range checks {
		if checks[i].Status == Failed {
			r.FirstBroken = &checks[i].Name
			break
		}
	}
	return r
}

// Text returns the check as a line, on a terminal as several where it is too wide for one.
func (c Check) Text(style format.Style) string {
	took := ""
	if c.Status != Skipped {
		took = fmt.Sprintf(" (%s)", (time.Duration(c.TookMS * float64(time.Millisecond))).Round(time.Millisecond))
	}
	word := string(c.Status)
	if c.Status == Failed {
		word = "FAILED"
	}
	const hanging = 16
	return style.Line(fmt.Sprintf("%-8s%-22s", word, c.Name), strings.Repeat(" ", hanging), strings.ReplaceAll(c.Seen, "\n", " ")+took)
}

// WriteSummary writes what follows the lines of the checks: those that failed and what to do, in the order of the chain, or
// that all is well.
func (r Report) WriteSummary(w io.Writer, style format.Style) error {
	var b strings.Builder
	counts := map[Status]int{}
	for _, c := range r.Checks {
		counts[c.Status]++
		if c.Status != Failed {
			continue
		}
		word := "also broken"
		if counts[Failed] == 1 {
			word = "first broken"
		}
		const hanging = "        "
		fmt.Fprintf(&b, "\n%s: %s\n%s%s", word, c.Name, style.Line("  seen: ", hanging, c.Seen), style.Line("  do:   ", hanging, c.Fix))
	}
	if counts[Failed] == 0 {
		fmt.Fprintf(&b, "\nall well: %d checks ok, %d skipped\n", counts[OK], counts[Skipped])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// commas joins names by commas.
func commas(names []string) string { return strings.Join(names, ", ") }

// plural returns a number with its noun, which is regular.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
