package flows

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheSchemaKnowsTheFieldsOfAFlow: an editor offers what the loader reads, and nothing else.
func TestTheSchemaKnowsTheFieldsOfAFlow(t *testing.T) {
	text, err := os.ReadFile("flow.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties           map[string]json.RawMessage
		AdditionalProperties json.RawMessage
		Required             []string
	}
	read := func(text json.RawMessage) (o object) {
		if err := json.Unmarshal(text, &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	root := read(text)
	step := read(read(root.Properties["steps"]).AdditionalProperties)
	form := read(read(root.Properties["forms"]).AdditionalProperties)
	known := func(change ...string) []string { // by the loader's own list
		_, err := Parse("p.yaml", []byte(strings.Replace(small, change[0], change[1], 1)))
		if err == nil {
			t.Fatalf("%q is a field", change[1])
		}
		_, list, _ := strings.Cut(err.Error(), "use one of ")
		list, _, _ = strings.Cut(list, "\n")
		return slices.Sorted(slices.Values(strings.Split(list, ", ")))
	}
	if diff := cmp.Diff(known("flow: parcel", "zzzzzzzzzz: 1"), slices.Sorted(maps.Keys(root.Properties))); diff != "" {
		t.Errorf("fields of a flow (-loader +schema):\n%s", diff)
	}
	if diff := cmp.Diff(known("wait: 1ms", "zzzzzzzzzz: 1ms"), slices.Sorted(maps.Keys(step.Properties))); diff != "" {
		t.Errorf("fields of a step (-loader +schema):\n%s", diff)
	}
	ofForm := slices.DeleteFunc(known("each: grpc", "zzzzzzzzzz: grpc"), func(s string) bool { return strings.Contains(s, ".") })
	if diff := cmp.Diff(ofForm, slices.Sorted(maps.Keys(form.Properties))); diff != "" {
		t.Errorf("fields of a form (-loader +schema):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"flow", "steps", "forms"}, root.Required); diff != "" {
		t.Errorf("required (-want +got):\n%s", diff)
	}
}
