package otlp

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey/source"
)

// What a receiver spends on anyone who can reach its port. One request takes about 250 MB at most while it is decoded, and
// 16 MB before and after.
const (
	maxBody        = 16 << 20 // bytes of a request, compressed or not; a collector's own default is 4 MiB
	maxSpans       = 1 << 16  // in a request; a collector's default batch is 8,192
	maxElements    = 1 << 20  // messages in a request: spans, attributes, values, links and all others; in JSON, elements
	maxHeaders     = 64 << 10 // bytes
	maxConnections = 128      // over gRPC, and as many over HTTP
	maxReading     = 16       // requests whose bodies are in memory; exporters send one at a time
)

// timeouts bound what a client that waits or sends nothing may hold.
type timeouts struct {
	slot time.Duration // to get a slot for reading or decoding; after it the exporter is told to retry
	read time.Duration // of a request, and of a connection's first bytes
	idle time.Duration // of a connection between two requests
}

var defaultTimeouts = timeouts{slot: 2 * time.Second, read: 10 * time.Second, idle: time.Minute}

// maxDecoding is how many requests are decoded at a time: more than there are processors would only take memory.
func maxDecoding() int { return runtime.GOMAXPROCS(0) }

// errTooMany refuses a request that would take much more memory than it has bytes.
var errTooMany = fmt.Errorf("more than %d spans, or %d spans, attributes and other parts together: send fewer spans at a time", maxSpans, maxElements)

// checkProtobuf returns why a request must not be decoded, or nil.
func checkProtobuf(message []byte) error {
	var p parts
	p.count(message, inRequest, 0) // first, as it stops early when there are too many
	if err := p.check(); err != nil {
		return err
	}
	if err := source.CheckProtobuf(message); err != nil {
		return err
	}
	if p.dirty {
		return errEntityText
	}
	return nil
}

// parts counts what a decoder makes objects of. A part of two bytes on the wire becomes hundreds in memory.
type parts struct {
	spans, elements int
	dirty           bool // an entity has text that is not UTF-8: the one place where cleanReceived cannot reach
}

var errEntityText = errors.New("an entity of a resource is not UTF-8")

func (p parts) check() error {
	if p.spans > maxSpans || p.elements > maxElements {
		return errTooMany
	}
	return nil
}

// kind names the messages of OTLP that have parts.
type kind int

const (
	leaf kind = iota
	inRequest
	inResourceSpans
	inResource
	inScopeSpans
	inScope
	inSpan
	inEvent
	inLink
	inKeyValue
	inAnyValue
	inList
	inKvList
	inEntity
)

// part returns the kind of the object that the decoder makes of a field; ok is false when it makes none.
func (k kind) part(field protowire.Number) (part kind, ok bool) {
	type place struct {
		kind  kind
		field protowire.Number
	}
	switch (place{k, field}) {
	case place{inRequest, 1}:
		return inResourceSpans, true
	case place{inResourceSpans, 1}:
		return inResource, true
	case place{inResourceSpans, 2}, place{inResourceSpans, 1000}: // 1000: of an old version, which decoders still read
		return inScopeSpans, true
	case place{inResource, 3}:
		return inEntity, true
	case place{inScopeSpans, 1}:
		return inScope, true
	case place{inScopeSpans, 2}:
		return inSpan, true
	case place{inSpan, 11}:
		return inEvent, true
	case place{inSpan, 13}:
		return inLink, true
	case place{inResource, 1}, place{inScope, 3}, place{inSpan, 9}, place{inEvent, 3}, place{inLink, 4}, place{inKvList, 1}:
		return inKeyValue, true
	case place{inKeyValue, 2}, place{inList, 1}:
		return inAnyValue, true
	case place{inAnyValue, 5}:
		return inList, true
	case place{inAnyValue, 6}:
		return inKvList, true
	case place{inSpan, 15}, place{inEntity, 3}, place{inEntity, 4}:
		return leaf, true
	}
	return leaf, false
}

// count counts the parts of a message. It stops at the first part too many, and where the message is malformed or nested
// too deeply: source.CheckProtobuf or the decoder refuses those.
func (p *parts) count(message []byte, k kind, depth int) {
	if depth > source.MaxDepth {
		return
	}
	for len(message) > 0 && p.check() == nil {
		field, wire, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		if wire != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(field, wire, message); n < 0 {
				return
			}
			message = message[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return
		}
		message = message[n:]
		if part, ok := k.part(field); ok {
			p.elements++
			if part == inSpan {
				p.spans++
			}
			p.count(value, part, depth+1)
		}
		if k == inEntity {
			p.dirty = p.dirty || !utf8.Valid(value)
		}
	}
}

// checkJSON returns why a request must not be decoded, or nil. It counts elements by the commas and braces before them.
func checkJSON(text []byte) error {
	if err := source.CheckJSON(text); err != nil {
		return err
	}
	var p parts
	for len(text) > 0 && p.check() == nil {
		i := bytes.IndexAny(text, `",{`)
		if i < 0 {
			break
		}
		found := text[i]
		text = text[i+1:]
		if found != '"' {
			p.elements++
			continue
		}
		text = afterString(text)
	}
	return p.check()
}

// afterString returns the text after the quote that ends a string.
func afterString(text []byte) []byte {
	for {
		i := bytes.IndexAny(text, `"\`)
		switch {
		case i < 0:
			return nil
		case text[i] == '"':
			return text[i+1:]
		}
		text = text[min(i+2, len(text)):]
	}
}
