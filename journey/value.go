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
	EmptyValue ValueKind = iota
	StringValue
	BoolValue
	IntValue
	FloatValue
	BytesValue
	JSONValue
)

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

// String makes a string value.
func String(s string) Value { return Value{kind: StringValue, str: s} }

// Bool makes a boolean value.
func Bool(b bool) Value {
	v := Value{kind: BoolValue}
	if b {
		v.num = 1
	}
	return v
}

// Int makes an integer value.
func Int(i int64) Value { return Value{kind: IntValue, num: uint64(i)} }

// Float makes a floating-point value.
func Float(f float64) Value { return Value{kind: FloatValue, num: math.Float64bits(f)} }

// Bytes makes a value of raw bytes; it keeps a copy.
func Bytes(b []byte) Value { return Value{kind: BytesValue, str: string(b)} }

// JSON makes a value of a list or a map, given as JSON text.
func JSON(text string) Value { return Value{kind: JSONValue, str: text} }

// Kind returns what the value holds.
func (v Value) Kind() ValueKind { return v.kind }

// Int64 returns the integer and true when the value is one.
func (v Value) Int64() (int64, bool) { return int64(v.num), v.kind == IntValue }

// String returns the value as text: numbers in decimal, bytes in hexadecimal.
func (v Value) String() string {
	switch v.kind {
	case BoolValue:
		return strconv.FormatBool(v.num == 1)
	case IntValue:
		return strconv.FormatInt(int64(v.num), 10)
	case FloatValue:
		return strconv.FormatFloat(math.Float64frombits(v.num), 'g', -1, 64)
	case BytesValue:
		return hex.EncodeToString([]byte(v.str))
	default:
		return v.str
	}
}
