package otelamqp

import (
	"maps"
	"slices"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/propagation"
)

// TableCarrier lets a propagator read and write the headers of a message.
//
// A header counts when it is a string, bytes, or a list of them; numbers, times
// and tables are no context. Names are compared without regard to case, as those
// of HTTP: messages come from bridges too. Values are passed on as they are: what
// is not text is for the propagator to refuse.
//
// A Table is a map: of a header that a message has twice the client shows the
// last only, and it cannot write two. Names that differ in case are two headers:
// the one in lower case counts, else the first in alphabetical order.
//
// A nil table has no headers and ignores Set and Delete.
type TableCarrier struct {
	Table amqp.Table
}

var (
	_ propagation.TextMapCarrier = TableCarrier{}
	_ propagation.ValuesGetter   = TableCarrier{}
)

// Get returns the value of the header with this key, the last of a list, or
// nothing.
func (c TableCarrier) Get(key string) string {
	value, ok := c.find(key)
	if !ok {
		return ""
	}
	if list, ok := value.([]any); ok {
		texts := textsOf(list)
		if len(texts) == 0 {
			return ""
		}
		return texts[len(texts)-1]
	}
	s, _ := textOf(value)
	return s
}

// Values returns the values of the header with this key: one, or those of a
// list.
func (c TableCarrier) Values(key string) []string {
	value, ok := c.find(key)
	if !ok {
		return nil
	}
	if list, ok := value.([]any); ok {
		return textsOf(list)
	}
	if s, ok := textOf(value); ok {
		return []string{s}
	}
	return nil
}

// Set replaces all headers with this key, in whatever case, by one.
func (c TableCarrier) Set(key, value string) {
	if c.Table == nil {
		return
	}
	c.Delete(key)
	c.Table[key] = value
}

// Delete removes all headers with this key, in whatever case.
func (c TableCarrier) Delete(key string) {
	for name := range c.Table {
		if same(name, key) {
			delete(c.Table, name)
		}
	}
}

// Keys returns the names of all headers, sorted.
func (c TableCarrier) Keys() []string { return slices.Sorted(maps.Keys(c.Table)) }

// find returns the value of the header with this key.
func (c TableCarrier) find(key string) (any, bool) {
	if value, ok := c.Table[key]; ok && isText(value) {
		return value, true
	}
	var found string
	var value any
	for name, v := range c.Table {
		if same(name, key) && isText(v) && (value == nil || name < found) {
			found, value = name, v
		}
	}
	return value, value != nil
}

// count returns how many values the headers with this key have.
func (c TableCarrier) count(key string) int {
	n := 0
	for name, v := range c.Table {
		switch list, ok := v.([]any); {
		case !same(name, key):
		case ok:
			n += len(textsOf(list))
		case isText(v):
			n++
		}
	}
	return n
}

// isText reports whether a header's value can be read as text.
func isText(v any) bool {
	switch v := v.(type) {
	case string, []byte:
		return true
	case []any:
		return len(textsOf(v)) > 0
	default:
		return false
	}
}

func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	default:
		return "", false
	}
}

// textsOf returns what is text of a list.
func textsOf(list []any) []string {
	var texts []string
	for _, v := range list {
		if s, ok := textOf(v); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// same reports whether two names are equal but for their case.
func same(name, key string) bool {
	return len(name) == len(key) && (name == key || strings.EqualFold(name, key))
}
