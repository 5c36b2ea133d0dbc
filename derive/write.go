package derive

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey/format"
	"tracelab/services/flows"
)

// file is a flow's file that is being written.
type file struct {
	table   *table
	derived *Derived
	options Options
	name    string
	unit    string
	topics  map[*step]string
	columns int // that a line has at the most, where it can be broken
}

// variant is what a file has. Where a flow with all of it cannot run, one thing after the other is left out.
type variant struct{ messages, answer, drawn, traced bool }

func newFile(t *table, d *Derived, o Options) *file {
	t.nameSteps()
	t.guesses()
	f := &file{table: t, derived: d, options: o}
	root := d.Root.Name
	if root == "" {
		root = t.entry.name
	}
	f.nameFlow(root)
	f.topics = t.topics(f.unit)
	if n := t.invented(); n > 0 {
		t.notes = append(t.notes, fmt.Sprintf("no message led to %d of the steps: their topics are made up", n))
	}
	if t.survey.weighted {
		t.notes = append(t.notes, "the journeys were sampled with different weights: the figures count each of them once")
	}
	return f
}

// methods of HTTP are no part of a flow's name.
var methods = []string{"get", "post", "put", "patch", "delete", "head", "options"}

// nameFlow makes names of the root's: POST /orders/{id} gives the flow orders-traced and the unit order.
func (f *file) nameFlow(root string) {
	var words []string
	for _, word := range wordsOf(strings.ReplaceAll(root, "{id}", "")) {
		if word = strings.ToLower(word); !slices.Contains(methods, word) && word[0] >= 'a' {
			words = append(words, word)
		}
	}
	words = words[max(0, len(words)-2):]
	f.unit = "unit"
	if len(words) > 0 {
		const longestUnit = 24
		last := words[len(words)-1]
		f.unit = cmp.Or(strings.TrimSuffix(last[:min(len(last), longestUnit)], "s"), "unit")
	}
	f.name = f.options.Name
	if f.name == "" {
		const suffix = "-traced"
		text := cmp.Or(strings.Join(words, "-"), "flow")
		f.name = text[:min(len(text), longest-len(suffix))] + suffix
	}
}

// write writes the file with as much as can run, and reads it again.
func (f *file) write() error {
	all := variant{messages: true, answer: true, drawn: true, traced: true}
	var last error
	for _, less := range []struct {
		change func(*variant)
		what   string
	}{
		{func(*variant) {}, ""},
		{func(v *variant) { v.messages = false }, "there is no form in which messages carry everything"},
		{func(v *variant) { v.answer = false }, "when the client was answered is left out"},
		{func(v *variant) { v.drawn = false }, "every unit passes through every step, though not every journey did"},
		{func(v *variant) { v.traced = false }, "there is no form as the traces are"},
	} {
		less.change(&all)
		if less.what != "" {
			f.table.notes = append(f.table.notes, less.what+": "+problem(last))
		}
		text := f.text(all)
		read, err := flows.Parse(f.name+".yaml", text)
		if err == nil {
			f.derived.YAML, f.derived.Flow, f.derived.Notes = text, read, f.table.notes
			return nil
		}
		last = err
	}
	return fmt.Errorf("what the traces show is no flow that can run: %s", problem(last))
}

// problem is what is wrong with a flow, on one line.
func problem(err error) string {
	if wrong, ok := errors.AsType[*flows.Error](err); ok {
		return strings.ReplaceAll(wrong.Problem, "\n", " ")
	}
	return strings.ReplaceAll(fmt.Sprint(err), "\n", " ")
}

// text is the file.
func (f *file) text(v variant) []byte {
	f.columns = narrow
	text := f.textIn(v)
	if bytes.Count(text, []byte("\n")) > mostNarrow {
		f.columns = wide
		text = f.textIn(v)
	}
	return text
}

// textIn is the file in so many columns.
func (f *file) textIn(v variant) []byte {
	var b strings.Builder
	f.head(&b)
	b.WriteString("steps:\n")
	for i, s := range f.table.steps {
		f.writeStep(&b, i, s, v)
	}
	b.WriteString("forms:\n")
	if v.traced {
		f.table.traced(v.answer).write(&b, f.table.steps)
	}
	f.table.calls().write(&b, f.table.steps)
	if messages := f.table.messages(); v.messages && messages.has(flows.KafkaLog) {
		messages.write(&b, f.table.steps)
	}
	return []byte(b.String())
}

// head writes what stands above the steps.
func (f *file) head(b *strings.Builder) {
	d := f.derived
	comment := func(text string, args ...any) { f.comment(b, "# ", fmt.Sprintf(text, args...)) }
	comment("Derived from %d %s %s.", d.Journeys, noun(d.Journeys, "journey", "journeys"), f.begin())
	if f.options.From != "" {
		comment("The traces are those of %s.", quoted(f.options.From))
	}
	for _, line := range f.options.About {
		comment("%s", format.Escape(line))
	}
	if d.Incomplete > 0 {
		comment("%d more %s left out: spans are missing.", d.Incomplete, noun(d.Incomplete, "is", "are"))
	}
	if f.options.IncludeIncomplete {
		comment("Journeys of which spans are missing are among them.")
	}
	if d.Others > 0 {
		comment("%d more %s left out: another root. --root TEXT chooses.", d.Others, noun(d.Others, "is", "are"))
	}
	comment("What the traces do not tell: how much of the work was waiting and how much computing (all of it is wait), what a unit consists of (body), " +
		"why one is refused (reasons). What the hops took is not in it: those of a run take their own time.")
	if late := f.options.Late.middle().Round(10 * time.Microsecond); late > 0 {
		comment("A run waits by timers, which end about %v late on the machine where this was written: each wait is shorter by that.", late)
	}
	if d.Journeys < leastQuantile {
		comment("From %d journeys on the costs have quantiles; these are medians.", leastQuantile)
	}
	for _, note := range f.table.notes {
		comment("%s%s.", strings.ToUpper(note[:1]), note[1:])
	}
	fmt.Fprintf(b, "flow: %s\nunit: %s\npath: /%ss\nwhat: Derived from traces, %d %s.\n", f.name, plain(f.unit), f.pathWord(), d.Journeys, noun(d.Journeys, "journey", "journeys"))
}

// plain is a name as YAML reads it: in quotes where it would be something else than text.
func plain(name string) string {
	switch strings.ToLower(name) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return `"` + name + `"`
	}
	if name[0] >= '0' && name[0] <= '9' {
		return `"` + name + `"`
	}
	return name
}

// pathWord is the unit as a part of a path that no other has.
func (f *file) pathWord() string {
	if f.unit == "run" {
		return "unit"
	}
	return strings.ReplaceAll(f.unit, "_", "-")
}

// begin says what the journeys begin with.
func (f *file) begin() string {
	if f.derived.Root.Name == "" && f.derived.Root.Service == "" {
		return "without a root"
	}
	return "from the root " + quoted(f.derived.Root.Name) + " of " + quoted(f.derived.Root.Service)
}

func noun(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Columns of the file: of one that a person reads, and of one with so many steps that it would have too many lines.
const (
	narrow     = 80
	wide       = 150
	mostNarrow = 1500 // lines
)

// comment writes a comment.
func (f *file) comment(b *strings.Builder, mark, text string) {
	for _, line := range format.Wrap(text, f.columns-len(mark)) {
		b.WriteString(mark + line + "\n")
	}
}

// writeStep writes a row, and above it what there is to say.
func (f *file) writeStep(b *strings.Builder, i int, s *step, v variant) {
	cost := s.cost(f.options.Late)
	seen := map[string]bool{}
	for _, note := range s.notes {
		if !seen[note] {
			f.comment(b, "  # ", note)
		}
		seen[note] = true
	}
	var fields []string
	if i > 0 {
		after := make([]string, len(s.after))
		for n, a := range s.after {
			after[n] = string(a.name)
		}
		text := after[0]
		if len(after) > 1 {
			text = "[" + strings.Join(after, ", ") + "]"
		}
		if len(text) > f.columns {
			text = "\n      - " + strings.Join(after, "\n      - ")
		}
		fields = append(fields, "after: "+text, "message: "+plain(f.topics[s]))
	}
	fields = append(fields, cost)
	if s.share < 1 && v.drawn && i > 0 {
		fields = append(fields, fmt.Sprintf("share: %.3g", max(s.share, 0.001)))
	}
	line := fmt.Sprintf("  %s: {%s}\n", s.name, strings.Join(fields, ", "))
	if len(line) > f.columns {
		line = fmt.Sprintf("  %s:\n    %s\n", s.name, strings.Join(fields, "\n    "))
	}
	b.WriteString(line)
}
