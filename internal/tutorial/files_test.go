package tutorial

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFilesAreInTheOrderOfTheirNumbers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"10-ten.md", "README.md", "9-nine.md", "1-one.md", "2-two.md", "11-eleven.md", "2024.md"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	if want := []string{"1-one.md", "2-two.md", "9-nine.md", "10-ten.md", "11-eleven.md"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}
