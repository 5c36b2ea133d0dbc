package palette

import "testing"

// TestColorsDiffer is what a palette is for.
func TestColorsDiffer(t *testing.T) {
	seen := map[string]string{}
	codes := map[int]string{}
	for name, c := range Forms() {
		if other := seen[c.Hex] + codes[c.ANSI]; other != "" {
			t.Errorf("%s has a color of %s", name, other)
		}
		seen[c.Hex], codes[c.ANSI] = name, name
		if got, ok := Form(name); !ok || got != c {
			t.Errorf("Form(%q) = %v, %v", name, got, ok)
		}
	}
	if c, ok := Form("of somebody's own"); ok || c != (Color{}) {
		t.Errorf("an unknown form has the color %v", c)
	}
}
