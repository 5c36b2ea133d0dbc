package testkit

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Wrap puts a message into fields of others, the innermost first.
func Wrap(message []byte, fields ...protowire.Number) []byte {
	for _, field := range fields {
		message = protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), message)
	}
	return message
}

// NestedOTLP returns an OTLP request with one attribute of nested arrays. Place lists the fields around the attribute, the
// innermost first: 9, 2, 2, 1 is an attribute of a span.
func NestedOTLP(levels int, place ...protowire.Number) []byte {
	return Wrap(append(Wrap([]byte("k"), 1), Wrap(nestedValue(levels), 2)...), place...)
}

// nestedValue writes nested arrays from their end, because the length of each level precedes it.
func nestedValue(levels int) []byte {
	reversed := make([]byte, 0, 10*levels)
	length := 0
	for range levels {
		for _, tag := range []byte{0x0a, 0x2a} { // values of the array, the array of the value
			size := protowire.AppendVarint(nil, uint64(length))
			slices.Reverse(size)
			reversed = append(append(reversed, size...), tag)
			length = len(reversed)
		}
	}
	slices.Reverse(reversed)
	return reversed
}
