package compare

import "strings"

// NormalizeName returns a span's name with {id} for each part that looks like an identifier, so that the spans of one
// operation have one name: a part, between blanks and any of /:,;=?&()[]{}"'|, that is a decimal number, a UUID, or at least 8
// hexadecimal digits with a decimal one among them. Names that follow the OpenTelemetry conventions have no such parts.
func NormalizeName(name string) string {
	if strings.IndexFunc(name, isDecimal) < 0 {
		return name
	}
	var b strings.Builder
	for rest := name; rest != ""; {
		part := rest
		if end := strings.IndexAny(rest, " /:,;=?&()[]{}\"'|"); end == 0 {
			b.WriteByte(rest[0])
			rest = rest[1:]
			continue
		} else if end > 0 {
			part = rest[:end]
		}
		rest = rest[len(part):]
		if isIdentifier(part) {
			part = "{id}"
		}
		b.WriteString(part)
	}
	return b.String()
}

// isIdentifier reports whether a part of a name looks like an id.
func isIdentifier(part string) bool {
	digits, letters, dashes := 0, 0, 0
	for i := range len(part) {
		switch c := part[i]; {
		case isDecimal(rune(c)):
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			letters++
		case c == '-':
			dashes++
		default:
			return false
		}
	}
	if dashes > 0 {
		return len(part) == 36 && dashes == 4 && part[8] == '-' && part[13] == '-' && part[18] == '-' && part[23] == '-'
	}
	return digits > 0 && (letters == 0 || digits+letters >= 8)
}

func isDecimal(r rune) bool { return r >= '0' && r <= '9' }
