package docs_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheFlowOfThePageIsOne: the program reads the page's flow by the program, and its tables have every field.
func TestTheFlowOfThePageIsOne(t *testing.T) {
	page, err := os.ReadFile("flows.md")
	if err != nil {
		t.Fatal(err)
	}
	_, yaml, _ := strings.Cut(string(page), "```yaml\n")
	yaml, _, _ = strings.Cut(yaml, "```")
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(programs, "tracelab"), "flow", "check", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "flow shop: 6 steps of 5 services, forms grpc, kafka, careful") {
		t.Errorf("%v\n%s", err, out)
	}
	for table, fields := range schemaFields(t) {
		_, after, found := strings.Cut(string(page), "| field of "+table+" | says |\n")
		rows, _, _ := strings.Cut(after, "\n\n")
		if !found || len(fields) < 6 {
			t.Fatalf("no table of the fields of %s, or only %d fields", table, len(fields))
		}
		var said strings.Builder // the first column
		for row := range strings.Lines(rows) {
			first, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
			said.WriteString(first)
		}
		for _, field := range fields {
			if !regexp.MustCompile("`" + field + "[`:]").MatchString(said.String()) {
				t.Errorf("the page does not say what %s of %s is", field, table)
			}
		}
	}
}

// schemaFields lists the fields that the schema has of a file, of a step and of a form.
func schemaFields(t *testing.T) map[string][]string {
	t.Helper()
	type object struct{ Properties map[string]json.RawMessage }
	var schema struct {
		object
		Steps, Forms struct{ AdditionalProperties object }
	}
	text, err := os.ReadFile(filepath.Join("..", "services", "flows", "flow.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	err = json.Unmarshal(text, &schema)
	for name, into := range map[string]any{"steps": &schema.Steps, "forms": &schema.Forms} {
		err = errors.Join(err, json.Unmarshal(schema.Properties[name], into))
	}
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]string{
		"the file": slices.Collect(maps.Keys(schema.Properties)),
		"a step":   slices.Collect(maps.Keys(schema.Steps.AdditionalProperties.Properties)),
		"a form":   slices.Collect(maps.Keys(schema.Forms.AdditionalProperties.Properties)),
	}
}
