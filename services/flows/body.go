package flows

import (
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

// Check reads the value of a field from decoded JSON and says what is wrong with it, naming the field. A number is a float64 without a fraction.
func (f Field) Check(value any) (string, error) {
	switch {
	case f.Number:
		n, ok := value.(float64)
		if !ok || n != float64(int64(n)) {
			return "", fmt.Errorf("%s: use a whole number from %d to %d", f.Name, f.Min, f.Max)
		}
		if int64(n) < f.Min || int64(n) > f.Max {
			return "", fmt.Errorf("%s: %d: use %d to %d", f.Name, int64(n), f.Min, f.Max)
		}
		return strconv.FormatInt(int64(n), 10), nil
	case f.Choices != nil:
		text, ok := value.(string)
		if !ok || !slices.Contains(f.Choices, text) {
			return "", fmt.Errorf("%s: %s: use one of %s", f.Name, shown(value), strings.Join(f.Choices, ", "))
		}
		return text, nil
	default:
		text, ok := value.(string)
		if n := int64(utf8.RuneCountInString(text)); !ok || n < f.Min || n > f.Max {
			return "", fmt.Errorf("%s: use %d to %d characters", f.Name, f.Min, f.Max)
		}
		return text, nil
	}
}

// shown is a wrong value as an error quotes it.
func shown(value any) string {
	switch v := value.(type) {
	case nil:
		return "nothing"
	case string:
		return strconv.Quote(v[:min(len(v), longestShown)])
	default:
		text := fmt.Sprint(v)
		return text[:min(len(text), longestShown)]
	}
}

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
