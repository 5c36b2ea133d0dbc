package vocabulary

import "strings"

// Plural is the plural of an English noun that is built by the rules: order, orders; activity, activities; box, boxes.
func Plural(noun string) string {
	beforeY, y := strings.CutSuffix(noun, "y")
	switch {
	case y && beforeY != "" && !strings.ContainsAny(beforeY[len(beforeY)-1:], "aeiou"):
		return beforeY + "ies"
	case hissing(noun):
		return noun + "es"
	}
	return noun + "s"
}

// hissing tells whether a noun ends in a sound to which s alone cannot be added.
func hissing(noun string) bool {
	for _, end := range []string{"s", "x", "z", "ch", "sh"} {
		if strings.HasSuffix(noun, end) {
			return true
		}
	}
	return false
}
