package flows

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// narrowest is the least width that a picture is drawn for.
const narrowest = 60

// WriteText draws a flow for a person: what it is, its steps as a graph, and what carries them in each form.
func (f *Flow) WriteText(w io.Writer, width int) error {
	width = max(width, narrowest)
	var b strings.Builder
	for _, line := range wrap(strings.TrimSuffix(f.Name+": "+f.What, ": "), width) {
		b.WriteString(line + "\n")
	}
	for _, line := range wrap(f.request(), width) {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n")
	f.drawGraph(&b, width)
	b.WriteString("\n")
	f.drawTable(&b, width)
	_, err := io.WriteString(w, b.String())
	return err
}

// request says how a unit is placed.
func (f *Flow) request() string {
	var fields []string
	for _, field := range f.Body {
		fields = append(fields, field.Name+": "+field.String())
	}
	if len(fields) == 0 {
		return "POST " + f.Path + " {}"
	}
	return "POST " + f.Path + " {" + strings.Join(fields, ", ") + "}"
}

// String is the field as a file has it.
func (f Field) String() string {
	switch {
	case f.Choices != nil:
		words := make([]string, len(f.Choices))
		for i, word := range f.Choices {
			if words[i] = word; f.Shares[i] != 1/float64(len(f.Choices)) {
				words[i] += fmt.Sprintf("@%.3g", f.Shares[i])
			}
		}
		return "one of " + strings.Join(words, " ")
	case f.Number && (f.DrawMin != f.Min || f.DrawMax != f.Max):
		return fmt.Sprintf("%d..%d draw %d..%d", f.Min, f.Max, f.DrawMin, f.DrawMax)
	case f.Number:
		return fmt.Sprintf("%d..%d", f.Min, f.Max)
	}
	return fmt.Sprintf("text %d..%d", f.Min, f.Max)
}

// place is a step in the graph.
type place struct {
	row    Row
	prefix string // of its line
	below  string // of the lines that go on below it
}

// places lists the steps as a graph is drawn, one a line: steps one behind the other stand below each other, branches are indented, and a
// join stands behind its branches.
func (f *Flow) places() []place {
	parent := map[Step]Step{}
	above := func(s Step) (steps []Step) {
		for ok := true; ok; s, ok = parent[s] {
			steps = append(steps, s)
		}
		return steps
	}
	children := map[Step][]Row{}
	for _, row := range f.Rows[1:] { // its parent is the last step that all ways to it go through
		common := above(row.After[0])
		for _, after := range row.After[1:] {
			others := above(after)
			common = slices.DeleteFunc(common, func(s Step) bool { return !slices.Contains(others, s) })
		}
		parent[row.Step] = common[0]
		children[common[0]] = append(children[common[0]], row)
	}
	var list []place
	var draw func(row Row, first, rest string)
	draw = func(row Row, first, rest string) {
		list = append(list, place{row, first, rest})
		var branches, joins []Row
		for _, child := range children[row.Step] {
			if len(child.After) > 1 {
				joins = append(joins, child)
			} else {
				branches = append(branches, child)
			}
		}
		if len(branches) == 1 && len(joins) == 0 {
			joins, branches = branches, nil
		}
		for i, branch := range branches {
			if i == len(branches)-1 {
				draw(branch, rest+"  └ ", rest+"    ")
			} else {
				draw(branch, rest+"  ├ ", rest+"  │ ")
			}
		}
		for _, join := range joins {
			draw(join, rest+"→ ", rest)
		}
	}
	draw(f.Rows[0], "", "")
	return list
}

// drawGraph writes the steps, what each costs, its topic, and what else is to say of it.
func (f *Flow) drawGraph(b *strings.Builder, width int) {
	places := f.places()
	names, costs, topics := 0, 0, 0
	for _, p := range places {
		names = max(names, utf8.RuneCountInString(p.prefix+string(p.row.Step)))
		costs = max(costs, len(p.row.cost()))
		topics = max(topics, len(p.row.Message))
	}
	for _, p := range places {
		head := fmt.Sprintf("%s  %*s", pad(p.prefix+string(p.row.Step), names), costs, p.row.cost())
		remark, beside := p.row.remark(), fmt.Sprintf("%s  %-*s", head, topics, p.row.Message)
		if wide := utf8.RuneCountInString(beside); wide > width { // no room for the topic
			remark = strings.TrimSuffix(p.row.Message+", "+remark, ", ")
		} else {
			head = beside
		}
		below := pad(p.below, utf8.RuneCountInString(head))
		if utf8.RuneCountInString(head)+2+leastRemark > width && remark != "" { // no room for what is to say
			b.WriteString(fit(strings.TrimRight(head, " "), width) + "\n")
			head = pad(p.below, utf8.RuneCountInString(p.prefix)+2)
			below = head
		}
		for i, line := range wrap(remark, max(leastRemark, width-utf8.RuneCountInString(head)-2)) {
			if i > 0 {
				head = below
			}
			b.WriteString(fit(strings.TrimRight(head+"  "+line, " "), width) + "\n")
		}
	}
}

// leastRemark is the least width that a remark gets beside its step; with less room it stands below it.
const leastRemark = 24

// cost is the median wait.
func (r Row) cost() string { return r.Cost.Wait.String() }

// remark says what a reader would not see from the graph.
func (r Row) remark() string {
	var texts []string
	if len(r.After) > 1 {
		texts = append(texts, fmt.Sprintf("when all %d are done", len(r.After)))
	}
	if r.When != nil {
		texts = append(texts, fmt.Sprintf("when %s = %s", r.When.Field, r.When.Value))
	}
	if r.Share < 1 {
		texts = append(texts, fmt.Sprintf("for %.3g %% of the units", 100*r.Share))
	}
	if !r.Retry.IsZero() {
		texts = append(texts, "retry "+r.Retry.String())
	}
	texts = append(texts, r.policies()...)
	return strings.Join(texts, ", ")
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// fit cuts a line to a width.
func fit(s string, width int) string {
	if runes := []rune(s); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return s
}

// wrap breaks text at blanks into lines of at most width characters, unless a word is longer.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
