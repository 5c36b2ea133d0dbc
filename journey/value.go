package journey

import (
	"encoding/hex"
	"math"
	"strconv"
)

// ValueKind tells what an attribute value holds.
type ValueKind uint8

// The kinds of attribute values. Lists and maps are kept as JSON text: no rule looks into them.
const (
	ValueEmpty ValueKind = iota
	ValueString
	ValueBool
	ValueInt
	ValueFloat
	ValueBytes
	ValueJSON
)

// String returns what the kind is called in reports, such as string.
func (k ValueKind) String() string {
	names := [...]string{"empty", "string", "bool", "int", "float", "bytes", "JSON"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is one attribute value. Values are comparable with ==; the zero Value is empty.
type Value struct {
	str  string
	num  uint64
	kind ValueKind
}

// Attribute is a key with its value.
type Attribute struct {
	Key   string
	Value Value
}

// StringValue makes a string value.
func StringValue(s string) Value { return Value{kind: ValueString, str: s} }

// BoolValue makes a boolean value.
func BoolValue(b bool) Value {
	v := Value{kind: ValueBool}
	if b {
		v.num = 1
	}
	return v
}

// IntValue makes an integer value.
func IntValue(i int64) Value { return Value{kind: ValueInt, num: uint64(i)} }

// FloatValue makes a floating-point value.
func FloatValue(f float64) Value { return Value{kind: ValueFloat, num: math.Float64bits(f)} }

// BytesValue makes a value of raw bytes; it keeps a copy.
func BytesValue(b []byte) Value { return Value{kind: ValueBytes, str: string(b)} }

// JSONValue makes a value of a list or a map, given as JSON text.
func JSONValue(text string) Value { return Value{kind: ValueJSON, str: text} }

// Kind returns what the value holds.
func (v Value) Kind() ValueKind { return v.kind }

// Int64 returns the integer and true when the value is one.
func (v Value) Int64() (int64, bool) { return int64(v.num), v.kind == ValueInt }

// String returns the value as text: numbers in decimal, bytes in hexadecimal.
func (v Value) String() string {
	switch v.kind {
	case ValueBool:
		return strconv.FormatBool(v.num == 1)
	case ValueInt:
		return strconv.FormatInt(int64(v.num), 10)
	case ValueFloat:
		return strconv.FormatFloat(math.Float64frombits(v.num), 'g', -1, 64)
	case ValueBytes:
		return hex.EncodeToString([]byte(v.str))
	default:
		return v.str
	}
}
