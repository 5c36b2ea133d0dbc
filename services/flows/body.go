package flows

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Field is one member of the body of a unit: a text, a choice of words, or a whole number.
type Field struct {
	Name     string
	Choices  []string  // of a choice; else nil
	Shares   []float64 // of the choices, for the driver's draw; they add up to 1
	Number   bool      // a number from Min to Max; else a text of Min to Max characters
	Min, Max int64
	// DrawMin and DrawMax bound the numbers that the driver draws: Min and Max unless said.
	DrawMin, DrawMax int64
}

// drawnTexts is how many different texts the driver draws for a field.
const drawnTexts = 500

// TypeError is a value of another type than its field's.
type TypeError struct{ err error }

// Error names the field and what it takes.
func (e *TypeError) Error() string { return fmt.Sprint(e.err) }

// Check reads the value of a field as it stands in JSON, nil where it is absent, and returns it as text. The error names the field and what
// would be right; it is a *TypeError for another type of JSON.
func (f Field) Check(raw json.RawMessage) (string, error) {
	if f.Number {
		var n int64
		if raw != nil && json.Unmarshal(raw, &n) != nil {
			return "", &TypeError{fmt.Errorf("%s: %s: use a whole number from %d to %d", f.Name, shown(string(raw)), f.Min, f.Max)}
		}
		if n < f.Min || n > f.Max {
			return "", fmt.Errorf("%s: %d: use %d to %d", f.Name, n, f.Min, f.Max)
		}
		return strconv.FormatInt(n, 10), nil
	}
	var value string
	if raw != nil && json.Unmarshal(raw, &value) != nil {
		return "", &TypeError{fmt.Errorf("%s: %s: use a text", f.Name, shown(string(raw)))}
	}
	n := int64(utf8.RuneCountInString(value))
	switch {
	case f.Choices != nil && !slices.Contains(f.Choices, value):
		return "", fmt.Errorf("%s: no %q: use one of %s", f.Name, shown(value), strings.Join(f.Choices, ", "))
	case f.Choices == nil && (n < f.Min || n > f.Max):
		return "", fmt.Errorf("%s: use %d to %d characters", f.Name, f.Min, f.Max)
	}
	return value, nil
}

// JSON is a checked value as JSON has it: a string or an int64.
func (f Field) JSON(text string) any {
	if f.Number {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil {
			return n
		}
	}
	return text
}

// shown is a wrong value as an error quotes it.
func shown(value string) string { return cut(value) }

// longestShown is the most bytes of something wrong that an error quotes.
const longestShown = 80

// Draw draws a value for the driver, as JSON has it: a string or an int64.
func (f Field) Draw(from *rand.Rand) any {
	switch {
	case f.Number:
		return f.DrawMin + from.Int64N(f.DrawMax-f.DrawMin+1)
	case f.Choices != nil:
		at := from.Float64()
		for i, share := range f.Shares {
			if at -= share; at < 0 {
				return f.Choices[i]
			}
		}
		return f.Choices[len(f.Choices)-1]
	default:
		return f.text(fmt.Sprintf("%s-%d", f.Name, 1+from.IntN(drawnTexts)))
	}
}

// text makes a text fit its field.
func (f Field) text(text string) string {
	for int64(len(text)) < f.Min {
		text += "-" + text
	}
	if int64(len(text)) > f.Max {
		text = text[int64(len(text))-f.Max:]
	}
	return text
}

// DrawBody draws the body of a unit for the driver.
func (f *Flow) DrawBody(from *rand.Rand) map[string]any {
	body := map[string]any{}
	for _, field := range f.Body {
		body[field.Name] = field.Draw(from)
	}
	return body
}

// MaxBodyBytes is how large the values of a body can be.
func (f *Flow) MaxBodyBytes() int64 {
	var most int64
	for _, field := range f.Body {
		most += int64(len(field.Name)) + 32
		switch {
		case field.Choices != nil:
			longest := 0
			for _, word := range field.Choices {
				longest = max(longest, len(word))
			}
			most += int64(longest)
		case !field.Number:
			most += utf8.UTFMax * field.Max
		}
	}
	return most
}
