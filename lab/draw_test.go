package lab_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
)

// drawn draws a journey as text without ids, with siblings in the order of their times and then of their text: two
// journeys are drawn alike when they are the same tree, with the same durations.
type drawn struct {
	*journey.Journey
	prefix string // of topics and groups, to be left out
}

// String is the whole drawing: the figures, the tree over all traces, the messages, and both paths.
func (j *drawn) String() string {
	var b strings.Builder
	wait, _ := j.CallerWait()
	tail, _ := j.Tail()
	fmt.Fprintf(&b, "caller wait %v, completion %v, tail %v\n", wait, j.Completion(), tail)
	fmt.Fprintf(&b, "%d spans in %d traces, %d not reached, %d warnings\n", len(j.Spans()), len(j.Traces()), len(j.Unreached()), len(j.Warnings()))
	b.WriteString("\nspans: start, duration\n" + j.tree())
	b.WriteString("\nmessages: publish, wait, delivery\n" + j.messages())
	b.WriteString("\nresponse path\n" + j.path(j.ResponsePath()))
	b.WriteString("\ncompletion path\n" + j.path(j.CompletionPath()))
	return b.String()
}

func ns(n int64) time.Duration { return time.Duration(n) }

// tree draws every span under its parent, or under what caused it in another trace.
func (j *drawn) tree() string {
	below := map[journey.Index][]journey.Index{}
	for _, i := range j.Spans() {
		at := journey.Index(-1)
		if parent, ok := j.Set().Parent(i); ok {
			at = parent
		} else if causes := slices.Collect(j.Set().Causes(i)); len(causes) > 0 {
			at = causes[0].From
		}
		below[at] = append(below[at], i)
	}
	return strings.Join(j.subtrees(below, -1, ""), "")
}

func (j *drawn) subtrees(below map[journey.Index][]journey.Index, at journey.Index, indent string) []string {
	type subtree struct {
		start int64
		text  string
	}
	var trees []subtree
	for _, i := range below[at] {
		start, _ := j.Set().Times(i)
		trees = append(trees, subtree{start, indent + j.span(i) + strings.Join(j.subtrees(below, i, indent+"  "), "")})
	}
	slices.SortFunc(trees, func(a, b subtree) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.text, b.text)) })
	texts := make([]string, len(trees))
	for i, tree := range trees {
		texts[i] = tree.text
	}
	return texts
}

// span draws one span: its times, its service, name and kind, how it refers to what caused it, and its error.
func (j *drawn) span(i journey.Index) string {
	set := j.Set()
	s := set.Span(i)
	start, end := set.Times(i)
	text := fmt.Sprintf("%v +%v %s %q %s", ns(start-j.Start()), ns(end-start), s.Service, j.plain(s.Name), s.Kind)
	var refers []string
	if _, ok := set.Parent(i); ok {
		refers = append(refers, "parent")
	}
	for _, l := range s.Links {
		if target, ok := set.Find(l.Ref); ok {
			refers = append(refers, "link to "+j.name(target))
		} else {
			refers = append(refers, "link to a span that is missing")
		}
	}
	for e := range set.Causes(i) {
		if e.Class != journey.ClassCall {
			refers = append(refers, e.Class.String()+" from "+j.name(e.From))
		}
		if s.Trace != set.Span(e.From).Trace {
			refers = append(refers, "another trace")
		}
	}
	if len(refers) > 0 {
		text += " (" + strings.Join(refers, ", ") + ")"
	}
	if s.Status == journey.StatusError {
		reason, _ := s.Attr("error.type") // gRPC's spans have none, but a status code
		text = strings.TrimSpace(text + " ERROR " + reason.String())
	}
	return text + "\n"
}

func (j *drawn) messages() string {
	var lines []string
	for _, m := range j.Messages() {
		line := fmt.Sprintf("%s %s → %s: %v, %v, %v", j.plain(m.Topic), j.Set().Span(m.Producer).Service, j.plain(m.Group), m.Publish, m.Wait, m.Delivery)
		if m.Overlap {
			line += " overlap"
		}
		lines = append(lines, line+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func (j *drawn) path(path []journey.Segment) string {
	var b strings.Builder
	for _, g := range path {
		fmt.Fprintf(&b, "[%v, %v] +%v ", g.Start, g.End, g.Duration())
		if g.Wait {
			fmt.Fprintf(&b, "~%s ", g.Class)
		}
		b.WriteString(j.name(g.Span) + "\n")
	}
	return b.String()
}

func (j *drawn) name(i journey.Index) string {
	s := j.Set().Span(i)
	return s.Service + " " + j.plain(s.Name)
}

func (j *drawn) plain(name string) string { return strings.ReplaceAll(name, j.prefix, "") }
