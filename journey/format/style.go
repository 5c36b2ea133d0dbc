// Package format writes text for people: durations, colors, and names from outside.
package format

// Style says how text may look. The zero Style is plain text of DefaultWidth.
type Style struct {
	Color bool // ANSI colors
	Width int  // columns that the text may take; 0 means DefaultWidth
	Fit   bool // break whatever is wider, as a terminal would in the middle of a word; elsewhere whole lines are what programs look for
}

// DefaultWidth is the number of columns of a Style without a Width.
const DefaultWidth = 100

// Columns returns the width that the style allows.
func (s Style) Columns() int {
	if s.Width <= 0 {
		return DefaultWidth
	}
	return s.Width
}

// Color is an ANSI escape that begins a color.
type Color string

// The colors, and Bold. Plain changes nothing.
const (
	Plain  Color = ""
	Bold   Color = "\x1b[1m"
	Red    Color = "\x1b[31m"
	Green  Color = "\x1b[32m"
	Yellow Color = "\x1b[33m"
	Cyan   Color = "\x1b[36m"
)

// Paint returns text in a color, where the style has colors.
func (s Style) Paint(color Color, text string) string {
	if !s.Color || text == "" || color == Plain {
		return text
	}
	return string(color) + text + "\x1b[0m"
}
