package lint

import (
	"strings"

	"tracelab/journey"
)

func httpRules() []Rule {
	return []Rule{
		{ID: "H01", Level: LevelWarning, Convention: httpConvention, Check: EachSpan(httpRoute),
			Finds: "An HTTP server span has no http.route, or the name of an HTTP span has an id in it.",
			Fix:   "set http.route from the router's pattern and name the span {method} {route}"},
	}
}

// httpRoute leaves out server spans that answered 404 or 405: there was no route.
func httpRoute(c *Pass, i journey.Index) {
	span := c.set.Span(i)
	if span.Kind != journey.KindServer && span.Kind != journey.KindClient {
		return
	}
	isHTTP, route, status := httpAttributes(span)
	if !isHTTP {
		return
	}
	if span.Kind == journey.KindServer && route == "" && status != 404 && status != 405 {
		c.found(i, "%s has no http.route", c.at(i))
	}
	for segment := range strings.FieldsFuncSeq(span.Name, func(r rune) bool { return r == '/' || r == ' ' || r == '?' || r == '=' || r == '&' }) {
		if isID(segment) {
			c.found(i, "%s has an id in its name: %s", c.at(i), segment)
			return
		}
	}
}

// httpAttributes reads the method, route and status under their present or old names.
func httpAttributes(span *journey.Span) (isHTTP bool, route string, status int64) {
	for i := range span.Attributes {
		switch a := &span.Attributes[i]; a.Key {
		case "http.request.method", "http.method":
			isHTTP = true
		case "http.route":
			route = a.Value.String()
		case "http.response.status_code", "http.status_code":
			status, _ = number(a.Value)
		}
	}
	return isHTTP, route, status
}

// isID reports whether a word looks like an id: a number of three digits or more, or eight characters and more of which
// four are digits, such as a UUID or a hexadecimal hash.
func isID(word string) bool {
	digits := 0
	for k := range len(word) {
		if !wordByte(word[k]) {
			return false
		}
		if digit(word[k]) {
			digits++
		}
	}
	return digits == len(word) && digits >= 3 || digits >= 4 && len(word) >= 8
}
