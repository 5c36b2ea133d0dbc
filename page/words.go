package page

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tracelab/internal/vocabulary"
)

// helpful adds to an error about an unknown word the known one that is most like it.
func helpful(err error) error {
	unknown, ok := errors.AsType[*vocabulary.UnknownError](err)
	if !ok {
		return err
	}
	nearest := vocabulary.Nearest(unknown.Word, unknown.Known)
	if nearest == "" {
		return err
	}
	return fmt.Errorf("%w. Did you mean %s?", err, nearest)
}

// capital is a text with a capital letter in front.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// countOf writes how many there are of a noun: 1 form, 2 forms.
func countOf(n int, noun string) string {
	if n != 1 {
		noun = vocabulary.Plural(noun)
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// number writes a number without needless digits.
func number(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }

// names lists forms as words.
func names[T ~string](list []T) []string {
	words := make([]string, len(list))
	for i, word := range list {
		words[i] = string(word)
	}
	return words
}
