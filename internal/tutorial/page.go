// Package tutorial reads the pages of docs/, runs what they show, and says where page and program differ.
//
// A page is Markdown. In it count:
//
//	```console          commands behind "$ ", continued behind "> ", each followed by what it prints
//	```console stack    the same, run only where the real stack is up
//	```console clone    the same, in a clone of the repository where the page's program is try/main.go
//	```console not run  shown and not run: the word stands in the page's source for whoever looks for it
//	```go               a program, which must compile
//
// In what a command prints a line "…" stands for any number of lines, and "…" inside a line for any text. Numbers, ids and pictures
// differ from run to run and count by their shape alone, but for a line that is a whole number: that is a count. What a number must lie between is said in the text, as an item of a list that
// names a row of the output before it, and, in a table, a column:
//
//   - `caller wait` of `kafka`: 1 ms to 30 ms
package tutorial

import (
	"fmt"
	"regexp"
	"strings"
)

// Page is a page in its parts, in their order.
type Page struct {
	Title string // the first heading
	Parts []Part
}

// Part is a piece of prose or one fenced block of a page.
type Part struct {
	Info     string // the words behind the fence; "" for prose
	Line     int    // of its first line, from 1
	Text     string // without the fence
	Commands []Command
	Ranges   []Range // of prose
}

// Console reports whether the part shows commands.
func (p Part) Console() bool { return p.Info == "console" || strings.HasPrefix(p.Info, "console ") }

// Runs reports whether its commands are to be run in a folder of a person's own: stack says whether the real stack is up.
func (p Part) Runs(stack bool) bool { return p.Info == "console" || p.Info == "console stack" && stack }

// Command is one command of a console block.
type Command struct {
	Text string   // as a shell takes it
	Line int      // of the page
	Want []string // the lines that it prints, as the page has them
}

// Range is what a page says of one number in the output before it.
type Range struct {
	Line        int
	Row, Column string // Column is "" outside of a table
	Low, High   string // numbers with their unit
}

var rangeItem = regexp.MustCompile("^- `([^`]+)`(?: of `([^`]+)`)?: (?:between )?(-?[0-9.,]+ ?[a-zµ%]*) (?:to|and) (-?[0-9.,]+ ?[a-zµ%]*)")

// Parse reads a page. It fails for a fence that nothing closes, for a console block without a command, for words behind a fence that
// this package does not know, and for a page in which nothing is run.
func Parse(text string) (Page, error) {
	var page Page
	var lines []string
	info, start, fenced := "", 1, false
	end := func(next int) error {
		if len(lines) > 0 {
			part, err := newPart(info, start, lines)
			if err != nil {
				return err
			}
			page.Parts = append(page.Parts, part)
		}
		lines, start = nil, next
		return nil
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\n")
		if page.Title == "" && !fenced && strings.HasPrefix(line, "# ") {
			page.Title = strings.TrimPrefix(line, "# ")
		}
		if !strings.HasPrefix(line, "```") {
			lines = append(lines, line)
			continue
		}
		if err := end(number + 1); err != nil {
			return page, err
		}
		fenced = !fenced
		if info = ""; fenced {
			info = strings.TrimSpace(strings.TrimPrefix(line, "```"))
		}
	}
	if fenced {
		return page, fmt.Errorf("line %d: nothing closes this block", start-1)
	}
	if err := end(number + 1); err != nil {
		return page, err
	}
	for _, p := range page.Parts {
		if p.Runs(true) {
			return page, nil
		}
	}
	return page, fmt.Errorf("no console block in it is run")
}

func newPart(info string, start int, lines []string) (Part, error) {
	part := Part{Info: info, Line: start, Text: strings.Join(lines, "\n") + "\n"}
	switch info {
	case "":
		for i, line := range lines {
			if m := rangeItem.FindStringSubmatch(line); m != nil {
				part.Ranges = append(part.Ranges, Range{start + i, m[1], m[2], m[3], m[4]})
			}
		}
	case "console", "console stack", "console clone", "console not run":
		return part, part.readCommands(lines)
	case "go", "sh", "text", "yaml", "json", "mermaid":
	default:
		return part, fmt.Errorf("line %d: unknown words behind a fence: %q", start-1, info)
	}
	return part, nil
}

func (p *Part) readCommands(lines []string) error {
	for i, line := range lines {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			p.Commands = append(p.Commands, Command{Text: command, Line: p.Line + i})
			continue
		}
		if len(p.Commands) == 0 {
			return fmt.Errorf("line %d: a console block begins with %q, want a command behind \"$ \"", p.Line+i, line)
		}
		last := &p.Commands[len(p.Commands)-1]
		if more, ok := strings.CutPrefix(line, "> "); ok && len(last.Want) == 0 {
			last.Text += "\n" + more
		} else {
			last.Want = append(last.Want, line)
		}
	}
	return nil
}
