package report

import (
	"fmt"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/format"
)

// HopHeaders are the headers that crossed one hop. Its texts are escaped for a terminal; a page escapes them for HTML besides.
type HopHeaders struct {
	From, To journey.Index // the spans on both sides; -1 for a receiver that is not seen
	Title    string
	Lines    []HeaderLine
	Notes    []string // what is wrong: a context that was lost, or changed on the way
}

// HeaderLine is a header, or one member of its list.
type HeaderLine struct {
	Name, Value string
	Raw         string // the value as the span recorded it
	Mark        string // "+" added here, "~" changed here, "-" removed; "" as before
	Note        string
	Was         string // of a traceparent or a member with the mark "~": its value at the hop before
}

// HeadersOf shows the hops of a journey at which a span recorded headers, and other spans that recorded some: the other side of
// their hop is not in the traces.
func HeadersOf(j *journey.Journey) []HopHeaders {
	var views []HopHeaders
	set := j.Set()
	shown := map[journey.Index]bool{}
	for _, hop := range j.Hops() {
		wrote, read := set.Span(hop.From).Headers(), set.Span(hop.To).Headers()
		shown[hop.From], shown[hop.To] = true, true
		if len(wrote)+len(read) == 0 {
			continue
		}
		v := HopHeaders{From: hop.From, To: hop.To, Title: spanTitle(set, hop.From) + " → " + spanTitle(set, hop.To) + ", " + carrierOf(hop)}
		v.compare(wrote, read)
		v.describe(j, hop.From, readOr(read, wrote))
		views = append(views, v)
	}
	for _, i := range j.Spans() {
		if headers := set.Span(i).Headers(); !shown[i] && len(headers) > 0 {
			v := HopHeaders{From: i, To: -1, Title: spanTitle(set, i) + ", the other side is not seen"}
			if valueOf(headers, "traceparent") == "" {
				v.Notes = append(v.Notes, "no traceparent: the context was lost before this span, or there was none")
			}
			v.describe(j, i, headers)
			views = append(views, v)
		}
	}
	return views
}

func spanTitle(set *journey.Set, i journey.Index) string {
	span := set.Span(i)
	return format.Escape(span.ServiceName()) + " " + format.Escape(span.Name)
}

func carrierOf(h journey.Hop) string {
	if h.Class == journey.ClassMessage {
		return "message"
	}
	return "call"
}

func readOr(read, wrote []journey.Header) []journey.Header {
	if len(read) > 0 {
		return read
	}
	return wrote
}

// valueOf returns the values of a header, joined as HTTP joins them.
func valueOf(headers []journey.Header, name string) string {
	for _, h := range headers {
		if h.Name == name {
			return strings.Join(h.Values, ",")
		}
	}
	return ""
}

// compare adds notes about what did not arrive as it was sent.
func (v *HopHeaders) compare(wrote, read []journey.Header) {
	if len(wrote) == 0 || len(read) == 0 {
		return // one side recorded no headers
	}
	for _, name := range []string{"traceparent", "tracestate", "baggage"} {
		sent, got := valueOf(wrote, name), valueOf(read, name)
		switch {
		case sent == "" && got == "" && name == "traceparent":
			v.Notes = append(v.Notes, "no traceparent was written: the context was lost before this hop")
		case sent != "" && got == "":
			v.Notes = append(v.Notes, fmt.Sprintf("%s was lost on the way: the receiver read none", name))
		case sent != got:
			v.Notes = append(v.Notes, fmt.Sprintf("%s was changed on the way: %s was written", name, format.Escape(sent)))
		}
	}
	for _, h := range read {
		if h.Name == "traceparent" && len(h.Values) > 1 {
			v.Notes = append(v.Notes, fmt.Sprintf("traceparent came %d times", len(h.Values)))
		}
	}
}

// describe adds a line for each header, compared with those that had arrived at its sender's service.
func (v *HopHeaders) describe(j *journey.Journey, sender journey.Index, headers []journey.Header) {
	before := arrivedAt(j, sender)
	for _, h := range headers {
		value := strings.Join(h.Values, ",")
		switch {
		case len(h.Values) == 0:
			v.Lines = append(v.Lines, HeaderLine{Name: format.Escape(h.Name), Note: "its value is not kept"})
		case h.Name == "traceparent":
			v.Lines = append(v.Lines, traceparentLine(j, sender, value, valueOf(before, h.Name)))
		case h.Name == "baggage" || h.Name == "tracestate":
			v.Lines = append(v.Lines, memberLines(h.Name, value, valueOf(before, h.Name), before != nil)...)
		default:
			v.Lines = append(v.Lines, HeaderLine{Name: format.Escape(h.Name), Value: format.Escape(value), Raw: value})
		}
	}
}

// arrivedAt returns the headers that arrived at a span's service: those that the nearest entry span above it recorded.
func arrivedAt(j *journey.Journey, i journey.Index) []journey.Header {
	set := j.Set()
	service := set.Span(i).Service
	for parent, ok := set.Parent(i); ok && set.Span(parent).Service == service; parent, ok = set.Parent(parent) {
		if kind := set.Span(parent).Kind; kind == journey.KindServer || kind == journey.KindConsumer {
			if headers := set.Span(parent).Headers(); len(headers) > 0 {
				return headers
			}
		}
	}
	return nil
}

// traceparentLine says whose span id a traceparent has, and what of it is new.
func traceparentLine(j *journey.Journey, sender journey.Index, value, before string) HeaderLine {
	line := HeaderLine{Name: "traceparent", Value: format.Escape(value), Raw: value}
	parts, old := strings.Split(value, "-"), strings.Split(before, "-")
	if len(parts) != 4 {
		line.Note = "cannot be read"
		return line
	}
	span := j.Set().Span(sender)
	line.Note = "a span id that is not the sender's"
	if parts[2] == span.ID.String() {
		line.Note = "the span id is of " + spanTitle(j.Set(), sender) + ": the next parent"
	}
	if len(old) == 4 {
		line.Mark, line.Was = "~", format.Escape(before)
		if old[1] != parts[1] {
			line.Note += "; a new trace id"
		}
		if old[3] != parts[3] {
			line.Note += "; other flags"
		}
	}
	return line
}

// memberLines returns a line for each member of a list, marked by how it differs from before; known says whether that is known.
func memberLines(name, value, before string, known bool) []HeaderLine {
	var lines []HeaderLine
	old := membersOf(before)
	for _, member := range splitMembers(value) {
		key, _, _ := strings.Cut(member, "=")
		line := HeaderLine{Value: format.Escape(member), Raw: member}
		if was, ok := old[key]; !known {
			line.Mark = ""
		} else if !ok {
			line.Mark, line.Note = "+", "joined here"
		} else if was != member {
			line.Mark, line.Was = "~", format.Escape(was)
			line.Note = "was " + line.Was
		}
		delete(old, key)
		lines = append(lines, line)
	}
	for _, member := range splitMembers(before) {
		if key, _, _ := strings.Cut(member, "="); old[key] == member {
			lines = append(lines, HeaderLine{Value: format.Escape(member), Raw: member, Mark: "-", Note: "left behind here"})
		}
	}
	if len(lines) > 0 {
		lines[0].Name = name
	}
	return lines
}

func splitMembers(list string) []string {
	members := strings.Split(list, ",")
	for i := range members {
		members[i] = strings.TrimSpace(members[i])
	}
	return slices.DeleteFunc(members, func(m string) bool { return m == "" })
}

func membersOf(list string) map[string]string {
	members := map[string]string{}
	for _, member := range splitMembers(list) {
		key, _, _ := strings.Cut(member, "=")
		members[key] = member
	}
	return members
}

// hopText writes the hops as text.
func hopText(b *strings.Builder, views []HopHeaders, style format.Style) {
	if len(views) == 0 {
		b.WriteString(style.Paragraph("  ", "    ", "no span has kept headers: run with --headers, or let your instrumentation capture traceparent and baggage"))
		return
	}
	for _, v := range views {
		b.WriteString("  " + style.Paint(format.Bold, v.Title) + "\n")
		var rows [][]cell
		for _, line := range v.Lines {
			rows = append(rows, []cell{left(line.Name), left(line.Mark), left(line.Value), left(line.Note)})
		}
		table(b, style, "    ", rows)
		for _, note := range v.Notes {
			b.WriteString("    ! " + note + "\n")
		}
	}
}
