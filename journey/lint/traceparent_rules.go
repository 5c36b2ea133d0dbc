package lint

import (
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// sampledFlag compares a span with its parent, and one that consumes a single message with what its link says. Where
// flags are 0 the format did not carry them.
func sampledFlag(c *Pass, i journey.Index) {
	span := c.set.Span(i)
	if span.Flags == 0 {
		return
	}
	if p := c.parent(i); p != none {
		if parent := c.set.Span(p); parent.Flags != 0 && (parent.Flags^span.Flags)&flagSampled != 0 {
			c.found(i, "%s is %s, and its parent %s is %s", c.at(i), sampled(span.Flags), c.at(p), sampled(parent.Flags))
			return
		}
	}
	m := c.messages[i]
	if m == nil || m.op != semconv.OperationProcess || len(span.Links) != 1 {
		return
	}
	if link := &span.Links[0]; link.Flags != 0 && (link.Flags^span.Flags)&flagSampled != 0 {
		c.found(i, "%s is %s, and the span that it links to, %s, is %s", c.at(i), sampled(span.Flags), link.Ref, sampled(link.Flags))
	}
}

func sampled(flags uint32) string {
	if flags&flagSampled != 0 {
		return "sampled"
	}
	return "not sampled"
}

// doubledContext looks at the headers that a span has kept.
func doubledContext(c *Pass, i journey.Index) {
	for _, h := range c.set.Span(i).Headers() {
		if h.Name != "traceparent" {
			continue
		}
		n := 0
		for _, value := range h.Values {
			n += 1 + strings.Count(value, ",") // HTTP allows to join several into one
		}
		if n > 1 {
			c.found(i, "%s kept %d values of traceparent", c.at(i), n)
			return
		}
	}
}
