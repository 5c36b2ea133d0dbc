// Package report writes what package compare found: as text for terminals, as JSON for programs, and as one HTML file that
// needs nothing else.
//
//	err := report.JourneyText(os.Stdout, journey, report.Style{Color: true})
//	err := report.JourneyJSON(os.Stdout, journey)
//	err := report.Bars(os.Stdout, "kafka", journey.Set(), journey.CompletionPath(), 100, report.Style{})
//	err := report.ComparisonText(os.Stdout, compare.Compare(groups, key), report.Style{})
//	err := report.ComparisonHTML(file, compare.Compare(groups, key))
//
// The output depends on nothing but the arguments. Names come from whoever made the traces, so characters that a terminal
// or a browser would obey are shown as escapes.
package report

// DefaultWidth is the number of columns of a picture when 0 is asked for.
const DefaultWidth = 100

// Style says how text may look. The zero Style is plain text.
type Style struct {
	Color bool // ANSI colours for the bars, errors and verdicts
}

const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	reset  = "\x1b[0m"
)

func (s Style) paint(color, text string) string {
	if !s.Color || text == "" || color == "" {
		return text
	}
	return color + text + reset
}
