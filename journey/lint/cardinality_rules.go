package lint

import (
	"cmp"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// How many values that occur in one journey only N01 needs as evidence.
const (
	minJourneys = 5  // of one shape, with an id in it
	anyJourneys = 50 // of any shape
)

func cardinalityRules() []Rule {
	return []Rule{
		{ID: "N01", Level: LevelWarning, Check: growingNames,
			Finds: "The number of distinct span names, or of values of an attribute that should have few, grows with the number of journeys.",
			Fix:   "put a template in the place of the changing part, and the value itself into an attribute of its own"},
	}
}

// fewValued reports whether an attribute is meant to have few values, by the conventions: they say so of it, or it is an
// attribute of their metrics. Ids, keys, offsets, URLs and sizes are free to have as many as they like.
func fewValued(key string) bool {
	switch key {
	case semconv.ErrorType, "exception.type", "http.route", "http.request.method", "url.template",
		semconv.MessagingOperationName, semconv.MessagingOperationType, semconv.MessagingDestinationTemplate, semconv.MessagingDestinationName,
		semconv.MessagingConsumerGroupName, "rpc.method", "rpc.service", "db.operation.name", "db.collection.name",
		"db.namespace", "db.query.summary", "faas.name", "graphql.operation.name":
		return true
	}
	return false
}

// variable is something that has values: the names of a service's spans of one kind (without a key), or an attribute.
type variable struct {
	service, key string
	kind         journey.Kind
}

// occurrence is a value of a variable.
type occurrence struct {
	span     journey.Index // the first
	last     int           // the number, from 1, of the last journey that has it
	journeys int
}

// growingNames estimates, for each variable, the chance that the next journey brings a new value. By Good and Turing it
// is the share of occurrences that are the only one of their value (an occurrence is a value in a journey). A variable is
// reported when that is a half or more: with K equally frequent values and n occurrences it is about exp(-n/K), so one
// of few values stays below as soon as it was seen 0.7 K times. Values that are alike but for an id are judged
// together, and a few of them are enough; others need more. Spans of no journey are not looked at.
func growingNames(c *Pass) {
	values := c.occurrences()
	variables := make([]variable, 0, len(values))
	for v := range values {
		variables = append(variables, v)
	}
	slices.SortFunc(variables, func(a, b variable) int {
		return cmp.Or(strings.Compare(a.service, b.service), strings.Compare(a.key, b.key), cmp.Compare(a.kind, b.kind))
	})
	for _, v := range variables {
		c.judgeVariable(v, values[v])
	}
}

// occurrences counts in how many journeys each value of each variable occurs. A span of several journeys counts for the
// first.
func (c *Pass) occurrences() map[variable]map[string]*occurrence {
	values := make(map[variable]map[string]*occurrence)
	taken := make([]bool, len(c.messages))
	for n, j := range c.set.Journeys() {
		add := func(v variable, value string, i journey.Index) {
			if values[v] == nil {
				values[v] = make(map[string]*occurrence)
			}
			o := values[v][value]
			if o == nil {
				o = &occurrence{span: i}
				values[v][value] = o
			}
			if o.last != n+1 {
				o.last = n + 1
				o.journeys++
			}
		}
		for _, i := range j.Spans() {
			if taken[i] {
				continue
			}
			taken[i] = true
			span := c.set.Span(i)
			add(variable{service: span.Service, kind: span.Kind}, span.Name, i)
			for k := range span.Attributes {
				if a := &span.Attributes[k]; fewValued(a.Key) {
					add(variable{service: span.Service, key: a.Key}, a.Value.String(), i)
				}
			}
		}
	}
	return values
}

// shapeCount counts the values of one shape.
type shapeCount struct {
	shape    string
	first    journey.Index
	example  string
	values   int
	seenOnce int // values that occur in one journey
	journeys int // occurrences
}

func (t *shapeCount) add(value string, o *occurrence) {
	if t.values == 0 || o.span < t.first || o.span == t.first && value < t.example {
		t.first, t.example = o.span, value
	}
	t.values++
	t.journeys += o.journeys
	if o.journeys == 1 {
		t.seenOnce++
	}
}

func (t *shapeCount) grows(least int) bool { return t.seenOnce >= least && 2*t.seenOnce >= t.journeys }

func (c *Pass) judgeVariable(v variable, values map[string]*occurrence) {
	if len(values) < minJourneys {
		return
	}
	var all shapeCount
	shapes := make(map[string]*shapeCount)
	for value, o := range values {
		all.add(value, o)
		shape, hasID := shapeOf(value)
		if !hasID {
			continue
		}
		if shapes[shape] == nil {
			shapes[shape] = &shapeCount{shape: shape}
		}
		shapes[shape].add(value, o)
	}
	reported := false
	for _, t := range shapes { // findings are sorted later
		if t.grows(minJourneys) {
			c.growing(v, t)
			reported = true
		}
	}
	if !reported && all.grows(anyJourneys) {
		c.growing(v, &all)
	}
}

func (c *Pass) growing(v variable, t *shapeCount) {
	what := v.key
	if what == "" {
		what = "the name of spans of kind " + v.kind.String()
	}
	where := ""
	if v.service != "" {
		where = " of " + v.service
	}
	shape := ""
	if t.shape != "" {
		shape = " like " + t.shape
	}
	c.found(t.first, "%s%s has %d values%s, %d of which are in one journey only, such as %q", what, where, t.values, shape, t.seenOnce, t.example)
}

// shapeOf replaces ids and numbers by {}, and reports whether there were any.
func shapeOf(value string) (shape string, hasID bool) {
	var b strings.Builder
	for len(value) > 0 {
		n := prefix(value, wordByte)
		if isID(value[:n]) {
			b.WriteString("{}")
			value, hasID = value[n:], true
			continue
		}
		for end := len(value) - max(n, 1); len(value) > end; { // word by word, or one byte between words
			if d := prefix(value, digit); d > 0 {
				b.WriteString("{}")
				value, hasID = value[d:], true
				continue
			}
			b.WriteByte(value[0])
			value = value[1:]
		}
	}
	return b.String(), hasID
}

// prefix returns how many bytes at the start of s are of a kind.
func prefix(s string, kind func(byte) bool) int {
	n := 0
	for n < len(s) && kind(s[n]) {
		n++
	}
	return n
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

func wordByte(b byte) bool {
	return digit(b) || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '-' || b == '_'
}
