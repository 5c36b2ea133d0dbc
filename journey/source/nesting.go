package source

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// level is a message of OTLP on the way from TracesData down to attributes.
type level int

const (
	otherField level = iota
	tracesData
	resourceSpans
	resource
	scopeSpans
	scope
	span
	event
	link
	keyValue
	anyValue
	arrayValue
	keyValueList
)

// child returns the level that a field of l holds, by the field numbers of OTLP.
func (l level) child(field protowire.Number) level {
	type step struct {
		level level
		field protowire.Number
	}
	switch (step{l, field}) {
	case step{tracesData, 1}:
		return resourceSpans
	case step{resourceSpans, 1}:
		return resource
	case step{resourceSpans, 2}:
		return scopeSpans
	case step{scopeSpans, 1}:
		return scope
	case step{scopeSpans, 2}:
		return span
	case step{span, 11}:
		return event
	case step{span, 13}:
		return link
	case step{resource, 1}, step{scope, 3}, step{span, 9}, step{event, 3}, step{link, 4}, step{keyValueList, 1}:
		return keyValue
	case step{keyValue, 2}, step{arrayValue, 1}:
		return anyValue
	case step{anyValue, 5}:
		return arrayValue
	case step{anyValue, 6}:
		return keyValueList
	}
	return otherField
}

// checkNesting fails for a message whose attributes are nested too deep, or that is damaged. pdata decodes lists and maps by
// recursion without a bound, so that 30 MB of them end the process.
func checkNesting(message []byte, l level, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("attributes nested more than %d levels deep", maxDepth)
	}
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		inner := otherField
		if kind == protowire.BytesType {
			inner = l.child(field)
		}
		if inner == otherField {
			if n = protowire.ConsumeFieldValue(field, kind, message); n < 0 {
				return protowire.ParseError(n)
			}
		} else {
			var value []byte
			if value, n = protowire.ConsumeBytes(message); n < 0 {
				return protowire.ParseError(n)
			}
			if err := checkNesting(value, inner, depth+1); err != nil {
				return err
			}
		}
		message = message[n:]
	}
	return nil
}
