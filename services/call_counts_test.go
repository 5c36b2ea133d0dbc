package services

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// TestEveryCountOfCallsIsReported: each has a name in JSON and words in the text, and is summed up over processes.
func TestEveryCountOfCallsIsReported(t *testing.T) {
	kind := reflect.TypeFor[CallCounts]()
	words := map[string]bool{}
	for i := range kind.NumField() {
		var counts, sum CallCounts
		reflect.ValueOf(&counts).Elem().Field(i).SetInt(7)
		sum.add(counts)
		sum.add(counts)
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		encoded, err := json.Marshal(sum)
		if want := `{"` + name + `":14}`; err != nil || string(encoded) != want {
			t.Errorf("%s: %s, %v: want %s", kind.Field(i).Name, encoded, err, want)
		}
		text := sum.String()
		if !strings.HasPrefix(text, "14 ") || words[text] {
			t.Errorf("%s: the text says %q: want words of its own", kind.Field(i).Name, text)
		}
		words[text] = true
	}
	if text := (CallCounts{}).String(); text != "" {
		t.Errorf("of nothing it says %q", text)
	}
}
