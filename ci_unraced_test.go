package tracelab_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A test function, and where it leaves something out under the race detector. The name of the package stands apart, so that this file is no such place.
var (
	testFunction = regexp.MustCompile(`(?ms)^func (Test\w+|\w+|\([^)]*\) \w+)\(.*?^}`)
	leftOut      = regexp.MustCompile(`\btestkit` + `\.(Unraced\(\w+, "(\w+)[^"]*"\)|Unraced\(|(Few|Times)\()`)
)

// TestCIRunsWhatTheRaceDetectorDoesNotSee: whatever is left out under the race detector is left out of a test that .ci/run finds, to run it without the
// detector; and each test that is skipped there names one of its package that is not.
func TestCIRunsWhatTheRaceDetectorDoesNotSee(t *testing.T) {
	found := 0
	for folder, texts := range testFiles(t) {
		var names []string
		skipped, all := map[string]string{}, map[string]bool{}
		for _, text := range texts {
			outside := len(leftOut.FindAllString(text, -1))
			found += outside
			for _, function := range testFunction.FindAllStringSubmatch(text, -1) {
				all[function[1]] = true
				for _, use := range leftOut.FindAllStringSubmatch(function[0], -1) {
					outside--
					if !strings.HasPrefix(function[1], "Test") {
						t.Errorf("%s: %s is no test, so .ci/run does not find what it leaves out", folder, function[1])
					}
					if strings.HasPrefix(use[1], "Unraced(") && use[2] == "" {
						t.Errorf("%s: %s names no test that the detector sees", folder, function[1])
					}
					names = append(names, function[1])
					if use[2] != function[1] && use[2] != "" { // a case of the same test runs
						skipped[function[1]] = use[2]
					}
				}
			}
			if outside > 0 {
				t.Errorf("%s: something is left out outside of a function", folder)
			}
		}
		for name, sibling := range skipped {
			if !all[sibling] || skipped[sibling] != "" {
				t.Errorf("%s: %s names %s, which is not there, or is skipped itself", folder, name, sibling)
			}
		}
		if len(names) > 0 {
			slices.Sort(names)
			if got, want := unracedTests(t, folder), strings.Join(slices.Compact(names), "|"); got != want {
				t.Errorf("%s: .ci/run runs\n%s, want\n%s", folder, got, want)
			}
		}
	}
	if found == 0 {
		t.Error("nothing is left out: is the function named otherwise?")
	}
}

// testFiles reads the tests' files by folder.
func testFiles(t *testing.T) map[string][]string {
	t.Helper()
	texts := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		texts[filepath.Dir(path)] = append(texts[filepath.Dir(path)], string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// unracedTests is what the function of that name in .ci/run prints of a folder.
func unracedTests(t *testing.T, folder string) string {
	t.Helper()
	bash, function := bashOfCI(t), partOfCI(t, "\nunraced_tests() {", "\n}\n")
	out, err := exec.CommandContext(t.Context(), bash, "-c", "set -euo pipefail\nunraced_tests() {"+function+"\n}\nunraced_tests "+folder).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
