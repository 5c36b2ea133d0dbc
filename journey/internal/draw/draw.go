// Package draw makes traces of a few lines of text, and text of paths, for tests.
//
// Each line is a span: a name, a kind unless it is INTERNAL, start and end in milliseconds, and words. Indentation tells
// the parent. The service is the name up to the first point.
//
//	gateway SERVER 0-50
//	  gateway.send PRODUCER 10-20 topic=order.placed
//	orders.handle CONSUMER 60-160 op=process link=gateway.send trace=2
//	  orders.db 70-150
//
// The words: trace=N (a number; else the parent's, or 1), id=HEX (else the number of the line), parent=NAME (instead of
// indentation), link=NAME, childof=NAME (a link with opentracing.ref_type child_of), service=S, error, and op=, topic=, group= for messaging.operation.type,
// messaging.destination.name and messaging.consumer.group.name. A word whose key has a point is an attribute. The name ?
// stands for a span that is not there. A line that starts with # is a comment.
package draw

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// Base is the time that 0 means, in nanoseconds since the Unix epoch.
const Base = 1_750_000_000_000_000_000

var kinds = map[string]journey.Kind{
	"INTERNAL": journey.KindInternal, "SERVER": journey.KindServer, "CLIENT": journey.KindClient,
	"PRODUCER": journey.KindProducer, "CONSUMER": journey.KindConsumer, "UNSPECIFIED": journey.KindUnspecified,
}

type line struct {
	number int
	indent int
	span   journey.Span
	parent string
	links  []string
	child  []bool // by link: it has opentracing.ref_type child_of
	trace  uint64
}

// Spans reads a drawing.
func Spans(drawing string) ([]journey.Span, error) {
	var lines []*line
	byName := make(map[string]*line)
	for number, text := range strings.Split(drawing, "\n") {
		trimmed := strings.TrimSpace(text)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		l := &line{number: number + 1, indent: len(text) - len(strings.TrimLeft(text, " \t"))}
		if err := l.read(strings.Fields(trimmed)); err != nil {
			return nil, fmt.Errorf("line %d %q: %w", l.number, trimmed, err)
		}
		l.nest(lines)
		lines = append(lines, l)
		if byName[l.span.Name] == nil {
			byName[l.span.Name] = l
		}
	}
	spans := make([]journey.Span, 0, len(lines))
	for _, l := range lines {
		if err := l.refer(byName); err != nil {
			return nil, fmt.Errorf("line %d: %w", l.number, err)
		}
		spans = append(spans, l.span)
	}
	return spans, nil
}

// nest finds the parent by indentation among the lines before.
func (l *line) nest(before []*line) {
	for i := len(before) - 1; i >= 0 && l.parent == ""; i-- {
		if before[i].indent < l.indent {
			l.parent = before[i].span.Name
			if l.trace == 0 {
				l.trace = before[i].trace
			}
			break
		}
	}
	if l.trace == 0 {
		l.trace = 1
	}
	binary.BigEndian.PutUint64(l.span.Trace[8:], l.trace)
}

func (l *line) refer(byName map[string]*line) error {
	missing := journey.SpanID{0xff, 0xff}
	if l.parent == "?" {
		l.span.Parent = missing
	} else if l.parent != "" {
		p := byName[l.parent]
		if p == nil {
			return fmt.Errorf("no span %q", l.parent)
		}
		l.span.Parent = p.span.ID
	}
	for k, name := range l.links {
		if name == "?" {
			l.span.Links = append(l.span.Links, journey.Link{Ref: journey.Ref{Trace: l.span.Trace, Span: missing}})
			continue
		}
		t := byName[name]
		if t == nil {
			return fmt.Errorf("no span %q", name)
		}
		link := journey.Link{Ref: t.span.Ref()}
		if l.child[k] {
			link.Attributes = []journey.Attribute{{Key: "opentracing.ref_type", Value: journey.StringValue("child_of")}}
		}
		l.span.Links = append(l.span.Links, link)
	}
	return nil
}

func (l *line) read(words []string) error {
	s := &l.span
	s.Name, s.Kind = words[0], journey.KindInternal
	s.Service, _, _ = strings.Cut(s.Name, ".")
	binary.BigEndian.PutUint64(s.ID[:], uint64(l.number))
	words = words[1:]
	if len(words) > 0 {
		if k, ok := kinds[words[0]]; ok {
			s.Kind, words = k, words[1:]
		}
	}
	if len(words) == 0 {
		return fmt.Errorf("no times")
	}
	if err := l.times(words[0]); err != nil {
		return err
	}
	for _, w := range words[1:] {
		if err := l.word(w); err != nil {
			return err
		}
	}
	return nil
}

func (l *line) times(w string) error {
	at := strings.LastIndexByte(w, '-') // the start may be before 0
	if at > 0 && w[at-1] == '-' {
		at--
	}
	from, to, ok := w[:max(at, 0)], w[at+1:], at > 0
	start, err1 := strconv.ParseFloat(from, 64)
	end, err2 := strconv.ParseFloat(to, 64)
	if !ok || err1 != nil || err2 != nil {
		return fmt.Errorf("times %q are not START-END in milliseconds", w)
	}
	l.span.Start = Base + int64(math.Round(start*1e6))
	l.span.End = Base + int64(math.Round(end*1e6))
	return nil
}

func (l *line) word(w string) error {
	s := &l.span
	key, value, _ := strings.Cut(w, "=")
	switch key {
	case "error":
		s.Status = journey.StatusError
	case "trace":
		n, err := strconv.ParseUint(value, 10, 64)
		l.trace = n
		return err
	case "id":
		id, err := journey.ParseSpanID(value)
		s.ID = id
		return err
	case "parent":
		l.parent = value
	case "link", "childof":
		l.links, l.child = append(l.links, value), append(l.child, key == "childof")
	case "service":
		s.Service = value
	case "op":
		l.attribute(semconv.MessagingOperationType, value)
	case "topic":
		l.attribute(semconv.MessagingDestinationName, value)
	case "group":
		l.attribute(semconv.MessagingConsumerGroupName, value)
	default:
		if !strings.Contains(key, ".") {
			return fmt.Errorf("unknown word %q", w)
		}
		l.attribute(key, value)
	}
	return nil
}

func (l *line) attribute(key, value string) {
	l.span.Attributes = append(l.span.Attributes, journey.Attribute{Key: key, Value: journey.StringValue(value)})
}

// Path writes a path as NAME[START,END] in milliseconds, a wait as ~CLASS[START,END].
func Path(set *journey.Set, segments []journey.Segment) string {
	parts := make([]string, len(segments))
	for i, g := range segments {
		what := set.Span(g.Span).Name
		if g.Wait {
			what = "~" + g.Class.String()
		}
		parts[i] = fmt.Sprintf("%s[%s,%s]", what, ms(g.Start), ms(g.End))
	}
	return strings.Join(parts, " ")
}

func ms(d time.Duration) string { return strconv.FormatFloat(float64(d)/1e6, 'f', -1, 64) }
