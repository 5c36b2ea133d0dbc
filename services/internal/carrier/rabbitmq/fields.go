package rabbitmq

import "encoding/binary"

// What the client reads of a header; see readable.
const (
	mostNested   = 32
	mostElements = 8192
)

// keepReadable returns the entries of a table that the client can read: itself when these are all. What is behind one whose end cannot be found is not
// among them.
func keepReadable(table []byte) []byte {
	if elements(table, true, 0) {
		return table
	}
	var kept []byte
	rest, entries := table, 0
	for len(rest) > 0 {
		value, ok := behindName(rest)
		if !ok {
			return kept
		}
		next, found, readable := field(value, 0)
		if !found {
			return kept
		}
		if entries++; entries > mostElements {
			return kept
		}
		if readable {
			kept = append(kept, rest[:len(rest)-len(next)]...)
		}
		rest = next
	}
	return kept
}

// behindName is what follows the name of an entry.
func behindName(entry []byte) (value []byte, ok bool) {
	if len(entry) == 0 || len(entry) < 1+int(entry[0]) {
		return nil, false
	}
	return entry[1+int(entry[0]):], true
}

// fixed is how many bytes the values of a type have; ok is false when each says for itself.
func fixed(kind byte) (size int, ok bool) {
	switch kind {
	case 'V':
		return 0, true
	case 't', 'B', 'b':
		return 1, true
	case 's', 'u':
		return 2, true
	case 'I', 'i', 'f':
		return 4, true
	case 'D':
		return 5, true
	case 'l', 'd', 'T':
		return 8, true
	}
	return 0, false
}

// field returns what is behind a value with its type, whether its end was found, and whether the client can read it.
func field(value []byte, depth int) (next []byte, found, readable bool) {
	if len(value) == 0 {
		return nil, false, false
	}
	kind, rest := value[0], value[1:]
	if size, ok := fixed(kind); ok {
		if len(rest) < size {
			return nil, false, false
		}
		return rest[size:], true, true
	}
	if kind != 'S' && kind != 'x' && kind != 'A' && kind != 'F' {
		return nil, false, false
	}
	content, ok := sized(rest)
	if !ok {
		return nil, false, false
	}
	return rest[4+len(content):], true, kind == 'S' || kind == 'x' || elements(content, kind == 'F', depth+1)
}

// elements tells whether the client can read the values of a list, or of a table. Its recursion ends at mostNested.
func elements(content []byte, named bool, depth int) bool {
	if depth > mostNested {
		return false
	}
	for n := 0; len(content) > 0; n++ {
		if n == mostElements {
			return false
		}
		if named {
			var ok bool
			if content, ok = behindName(content); !ok {
				return false
			}
		}
		next, _, readable := field(content, depth)
		if !readable {
			return false
		}
		content = next
	}
	return true
}

// sized returns the bytes that stand behind their number.
func sized(text []byte) (content []byte, ok bool) {
	if len(text) < 4 || uint64(binary.BigEndian.Uint32(text)) > uint64(len(text)-4) {
		return nil, false
	}
	return text[4 : 4+int(binary.BigEndian.Uint32(text))], true
}
