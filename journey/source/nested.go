package source

import (
	"bytes"
	"encoding/json"
)

// nested reads the list or map in an attribute's field arrayValue or kvlistValue.
func (d *spanDecoder) nested(field []byte) any {
	isMap := field[0] == 'k'
	list, fields := []any{}, map[string]any{}
	d.object(func(key []byte) {
		switch {
		case string(key) != "values":
			d.skip()
		case isMap:
			d.array(func() {
				name, value := d.entry()
				fields[name] = value
			})
		default:
			d.array(func() { list = append(list, d.any()) })
		}
	})
	if isMap {
		return fields
	}
	return list
}

// entry reads a key with its value.
func (d *spanDecoder) entry() (name string, value any) {
	d.object(func(key []byte) {
		switch string(key) {
		case "key":
			name = d.string()
		case "value":
			value = d.any()
		default:
			d.skip()
		}
	})
	return name, value
}

// any reads an AnyValue inside a list or map.
func (d *spanDecoder) any() any {
	var v any
	d.object(func(key []byte) {
		switch string(key) {
		case "stringValue", "string_value":
			v = d.string()
		case "boolValue", "bool_value":
			v = d.bool()
		case "intValue", "int_value":
			v = d.int()
		case "doubleValue", "double_value":
			v = d.float()
		case "bytesValue", "bytes_value":
			v = d.bytes()
		case "arrayValue", "array_value", "kvlistValue", "kvlist_value":
			v = d.nested(key)
		default:
			d.skip()
		}
	})
	return v
}

// jsonText writes a list or map as JSON, its keys sorted. It returns "" for one with a value that JSON does not have, such as
// infinity.
func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return ""
	}
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}
