package source

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// MaxDepth is how many levels deep objects and lists may be nested in a JSON document, and in the JSON form of a protobuf
// message. OTLP itself takes about ten levels, and each list or map inside an attribute takes three or four more.
const MaxDepth = 200

// ErrTooDeep is in the errors of CheckProtobuf and CheckJSON for input that is nested more than MaxDepth levels deep.
var ErrTooDeep = fmt.Errorf("nested more than %d levels deep", MaxDepth)

// CheckProtobuf returns why the protobuf encoding of an OTLP TracesData or ExportTraceServiceRequest must not be decoded: it
// is nested deeper than MaxDepth (ErrTooDeep), or malformed. Call it before any decoder that recurses, such as pdata's:
// 15 MB of nested lists end a process by a stack overflow, from which nothing recovers. What it accepts stays within
// MaxDepth when it is written as JSON. It takes no memory, and time in proportion to the fields.
func CheckProtobuf(message []byte) error { return checkNesting(message, tracesData, 1) }

// CheckJSON returns ErrTooDeep for text with objects and lists nested more than MaxDepth levels deep. Call it before any
// decoder that recurses. It does not check that the text is JSON: the decoder does.
func CheckJSON(text []byte) error {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := endOfString(text[i+1:])
			if end < 0 {
				return nil // the decoder stops here
			}
			i += end + 1
		case '{', '[':
			if depth++; depth > MaxDepth {
				return ErrTooDeep
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

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

// child returns the level of a field of l, by the field numbers of OTLP, and how many levels deeper it lies in JSON: two for
// a repeated field, which is a list of objects.
func (l level) child(field protowire.Number) (child level, deeper int) {
	type step struct {
		level level
		field protowire.Number
	}
	switch (step{l, field}) {
	case step{tracesData, 1}:
		return resourceSpans, 2
	case step{resourceSpans, 1}:
		return resource, 1
	case step{resourceSpans, 2}, step{resourceSpans, 1000}: // 1000: of an old version, which pdata still reads
		return scopeSpans, 2
	case step{scopeSpans, 1}:
		return scope, 1
	case step{scopeSpans, 2}:
		return span, 2
	case step{span, 11}:
		return event, 2
	case step{span, 13}:
		return link, 2
	case step{resource, 1}, step{scope, 3}, step{span, 9}, step{event, 3}, step{link, 4}, step{keyValueList, 1}:
		return keyValue, 2
	case step{keyValue, 2}:
		return anyValue, 1
	case step{arrayValue, 1}:
		return anyValue, 2
	case step{anyValue, 5}:
		return arrayValue, 1
	case step{anyValue, 6}:
		return keyValueList, 1
	}
	return otherField, 0
}

// checkNesting checks a message that lies depth levels deep. Its own recursion ends at MaxDepth.
func checkNesting(message []byte, l level, depth int) error {
	if depth > MaxDepth {
		return ErrTooDeep
	}
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		inner, deeper := otherField, 0
		if kind == protowire.BytesType {
			inner, deeper = l.child(field)
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
			if err := checkNesting(value, inner, depth+deeper); err != nil {
				return err
			}
		}
		message = message[n:]
	}
	return nil
}
