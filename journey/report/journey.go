package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/lint"
)

// Journey is a report of one journey.
type Journey struct {
	Of         *journey.Journey // nil is reported as a journey without spans
	About      []string         // where it comes from and why this one, a line each
	From       string           // the set that it is of, for the title of a page; "" for none
	Group      string           // the group that it is one of, such as its form, beside the title of a page; "" for none
	Color      GroupColor       // of the group
	Headers    bool             // show the headers of each hop
	Attributes bool             // show the attributes of each span
	Findings   []lint.Finding   // of lint's rules in its traces, for the end of a page
}

func (r Journey) journey() *journey.Journey {
	if r.Of == nil {
		return new(journey.Journey)
	}
	return r.Of
}

// WriteText writes the journey for people: its figures, its spans as a tree over all traces, its messages, both paths as
// tables and as bars on one time axis, its branches with their slack, and what the journey would save without its longest
// steps.
func (r Journey) WriteText(w io.Writer, style format.Style) error {
	j := r.journey()
	var b strings.Builder
	header(&b, j, r.Color, style)
	for _, line := range r.About {
		b.WriteString(style.Paragraph("  ", "    ", format.Escape(line)))
	}
	completion := j.CompletionPath()
	if note, ok := starvedNote(completion); ok {
		b.WriteString(style.Paragraph("  ", "    ", "no CPU for "+note+" of the completion path: nobody worked then"))
	}
	heading(&b, style, "Spans")
	tree(&b, j, r.Attributes, style)
	if messages := j.Messages(); len(messages) > 0 {
		heading(&b, style, "Messages")
		messageTable(&b, j.Set(), messages, style)
	}
	if r.Headers {
		heading(&b, style, "What crossed each hop (+ joined there, ~ changed there, - left behind)")
		hopText(&b, HeadersOf(j), style)
	}
	response := j.ResponsePath()
	pathTable(&b, "Response path: what the caller waited for", j.Set(), response, style)
	pathTable(&b, "Completion path: why it ended when it did", j.Set(), completion, style)
	if len(completion) > 0 {
		b.WriteString("\n")
		bothPaths(&b, j, response, completion, style)
	}
	if branches := j.Branches(); len(branches) > 1 {
		heading(&b, style, "Branches: what ended when, and how much later it could have")
		branchTable(&b, j, branches, style)
	}
	if savings := stepSavings(j, completion); len(savings) > 0 {
		heading(&b, style, "What if: the journey without the work of one step, queues as long as they were")
		savingTable(&b, savings, style)
	}
	if warnings := CollapseWarnings(j.Warnings()); len(warnings) > 0 {
		heading(&b, style, "Warnings")
		for _, warning := range warnings {
			b.WriteString(style.Paragraph("  ", "       ", string(warning.Rule)+"  "+format.Escape(warning.Text)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func heading(b *strings.Builder, style format.Style, text string) {
	b.WriteString("\n" + style.Paint(format.Bold, text) + "\n")
}

func header(b *strings.Builder, j *journey.Journey, color GroupColor, style format.Style) {
	title := "Journey without a root"
	if root, ok := j.Root(); ok {
		span := j.Set().Span(root)
		title = "Journey from " + format.Escape(span.ServiceName()) + "  " + format.Escape(span.Name)
	}
	b.WriteString(style.Paint(cmp.Or(color.Terminal, format.Bold), title) + "\n")
	var rows [][]cell
	if wait, ok := j.CallerWait(); ok {
		rows = append(rows, []cell{left("caller wait"), number(format.Duration(wait)), left("until the caller had its answer")})
	}
	rows = append(rows, []cell{left("completion"), number(format.Duration(j.Completion())), left("until the last piece of work had ended")})
	if tail, ok := j.Tail(); ok {
		rows = append(rows, []cell{left("tail"), number(format.Duration(tail)), left(tailNote(j))})
	}
	traces := j.Traces()
	rows = append(rows, []cell{left("spans"), number(fmt.Sprint(j.Len())), left(fmt.Sprintf("in %d %s", len(traces), plural("trace", len(traces))))})
	table(b, style, "  ", rows)
	for i, t := range traces {
		if i == 10 {
			fmt.Fprintf(b, "  and %d more traces\n", len(traces)-i)
			break
		}
		fmt.Fprintf(b, "  trace %s\n", t)
	}
}

// starvedNote is how much of the completion path had no CPU, if it is 1 % or more.
func starvedNote(completion []journey.Segment) (text string, ok bool) {
	starved := starvedTime(completion)
	return format.Duration(starved), starved > 0 && starved*100 >= completion[len(completion)-1].End
}

// tailNote says what the tail is, and which messages have no receiver in the traces: what they led to would be part of it.
func tailNote(j *journey.Journey) string {
	note := "work after the answer"
	if topics := j.UnreceivedTopics(); len(topics) > 0 {
		more := ""
		if n := len(topics) - 3; n > 0 {
			topics, more = topics[:3], fmt.Sprintf(" and %d more", n)
		}
		note += "; nobody is seen to receive " + format.Escape(strings.Join(topics, ", ")) + more
	}
	return note
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// pathTable writes a path under its heading, and nothing for a path that took no time.
func pathTable(b *strings.Builder, title string, set *journey.Set, path []journey.Segment, style format.Style) {
	s := pieces(set, path)
	if len(s.rows) == 0 {
		return
	}
	heading(b, style, title)
	total := path[len(path)-1].End - path[0].Start
	cells := [][]cell{{number("start"), number("duration"), number("share"), left("service"), left("what")}}
	for _, r := range s.rows {
		cells = append(cells, []cell{
			number(format.Duration(r.Start)), number(format.Duration(r.Duration())), number(percent(int64(r.Duration()), int64(total))), left(r.service), left(r.name),
		})
	}
	shortenNames(style, "  ", cells, minLastColumn)
	table(b, style, "  ", cells)
	if note := s.note(total); note != "" {
		b.WriteString(style.Paragraph("  ", "    ", note))
	}
}

func messageTable(b *strings.Builder, set *journey.Set, messages []journey.Message, style format.Style) {
	rows := [][]cell{{left("topic"), left("from"), left("to"), left("group"), number("publish"), number("queue wait"), number("delivery")}}
	for _, m := range messages[:min(len(messages), maxMessageRows)] {
		rows = append(rows, []cell{
			left(destination(set, m.Consumer, m.Producer)), left(format.Escape(set.Span(m.Producer).ServiceName())), left(format.Escape(set.Span(m.Consumer).ServiceName())), left(format.Escape(m.Group)),
			number(format.Duration(m.Publish)), number(format.Duration(m.Wait)), number(format.Duration(m.Delivery)),
		})
	}
	figureTable(b, style, "  ", 4, rows)
	if more := len(messages) - maxMessageRows; more > 0 {
		fmt.Fprintf(b, "  and %d more messages\n", more)
	}
}
