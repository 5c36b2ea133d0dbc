package vocabulary

import "testing"

func TestPlural(t *testing.T) {
	for noun, want := range map[string]string{"order": "orders", "activity": "activities", "day": "days", "page": "pages", "box": "boxes", "batch": "batches", "pass": "passes", "y": "ys", "": "s"} {
		if got := Plural(noun); got != want {
			t.Errorf("%q: %q, want %q", noun, got, want)
		}
	}
}
