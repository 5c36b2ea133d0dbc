package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/services/flows"
	"tracelab/watch/summary"
)

// schemas are those that tests check documents with. They are stricter than those that are printed: a field that a schema does not name is an error here,
// while a reader has to expect that fields are added.
type schemas struct {
	compiled map[string]*jsonschema.Schema
	used     map[string]bool
}

func strictSchemas(t *testing.T) schemas {
	t.Helper()
	names, err := schemaNames()
	if err != nil {
		t.Fatal(err)
	}
	all := schemas{map[string]*jsonschema.Schema{}, map[string]bool{}}
	for _, name := range names {
		text, err := schemaText(name, names)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		closeObjects(document)
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		if err := compiler.AddResource("urn:test:"+name, document); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if all.compiled[name], err = compiler.Compile("urn:test:" + name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return all
}

// closeObjects lets objects have the fields that are named, and no others.
func closeObjects(value any) {
	switch v := value.(type) {
	case map[string]any:
		_, named := v["properties"].(map[string]any)
		if _, open := v["additionalProperties"]; named && !open {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			closeObjects(inner)
		}
	case []any:
		for _, inner := range v {
			closeObjects(inner)
		}
	}
}

// holds checks a document.
func (s schemas) holds(t *testing.T, name, what string, text []byte) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v: %s", what, err, text)
	}
	if err := s.compiled[name].Validate(document); err != nil {
		t.Errorf("%s is not as its schema %s says: %v", what, name, err)
	}
	s.used[name] = true
}

// TestEveryJSONIsAsItsSchemaSays checks what commands really print, and what a run writes, in as many kinds as a few short runs have.
func TestEveryJSONIsAsItsSchemaSays(t *testing.T) {
	all := strictSchemas(t)
	out := t.TempDir()
	printed := func(name, line string) []byte {
		t.Helper()
		var text, talk bytes.Buffer
		if status := run(t.Context(), strings.Fields(line+" --format json"), nil, &text, &talk); status != exitDone && status != exitNotSo {
			t.Fatalf("%s: exit status %d: %s", line, status, talk.String())
		}
		all.holds(t, name, line, text.Bytes())
		return text.Bytes()
	}
	dirOf := func(text []byte) string {
		var manifest struct{ Dir string }
		if err := json.Unmarshal(text, &manifest); err != nil {
			t.Fatal(err)
		}
		return manifest.Dir
	}
	short := " --warm-up 1 --rate 200 --out " + out
	first := dirOf(printed("run", "run --forms corners --orders 3 --headers --fault payment:delay=5ms@0.5 --fault notification:error=x@0.5 --event 5ms:pause:analytics --event 15ms:start:analytics --link orders>payment:latency=1ms"+short))
	second := dirOf(printed("run", "run --flow profile --forms all --orders 3 --workers 8,posts=2 --partitions 2 --surge 1ms:5ms:2"+short))
	third := dirOf(printed("run", "run --forms grpc,kafka --orders 6 --clients 4 --think 1ms --instances payment=2 --profiles "+filepath.Join(out, "profiles")+" --store "+filepath.Join(out, "store")+" --warm-up 0 --out "+out))
	for _, dir := range []string{first, second, third} {
		for file, name := range map[string]string{"run.json": "run", "orders.jsonl": "order"} {
			text, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if name == "run" {
				all.holds(t, name, file, text)
				continue
			}
			for line := range bytes.Lines(text) {
				all.holds(t, name, file, line)
			}
		}
	}
	baseline := filepath.Join(out, "baseline.json")
	printed("compare", "compare "+first)
	printed("compare", "compare "+third+"/grpc "+third+"/kafka --fail-on completion>5% --fail-on tail>1ms --save "+baseline)
	printed("compare", "compare "+filepath.FromSlash("../../journey/testdata/cases/d11-long-stream-in-a-request.json")+" "+first+"/kafka")
	printed("journey", "journey "+first+" --form kafka --headers --attributes")
	printed("journey", "journey "+filepath.FromSlash("../../journey/testdata/cases/d11-long-stream-in-a-request.json"))
	printed("journeys", "journey "+first+" --form kafka --list")
	printed("hops", "hops --form hybrid --fault notification:drop-context --link orders>inventory:latency=1ms")
	printed("predict", "predict "+third+"/grpc --like kafka --from kafka --check kafka")
	printed("lint", "lint "+first)
	printed("lint-rules", "lint --rules")
	printed("doctor", "doctor --wait --only kafka --kafka 127.0.0.1:1 --timeout 10ms")
	printed("claims-list", "claims")
	printed("flow-list", "flow list")
	broken := filepath.Join(out, "broken.yaml")
	if err := os.WriteFile(broken, []byte("flow: a\nsteps: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	printed("flow-check", "flow check order chain:2 "+broken)
	printed("claims", "claims extra-parts --orders 4 --out "+out)
	printed("runs", "runs list --out "+out)
	text, err := os.ReadFile(baseline)
	if err == nil { // a limit may have failed
		all.holds(t, "baseline", baseline, text)
	} else {
		output(t, "compare", third+"/grpc", "--save", baseline)
		if text, err = os.ReadFile(baseline); err != nil {
			t.Fatal(err)
		}
		all.holds(t, "baseline", baseline, text)
	}
	for _, flow := range []string{"order", "ride", "reaction", "profile", "activity", "chain:3"} {
		var document any
		if err := yaml.Unmarshal([]byte(output(t, "flow", "show", flow, "--yaml")), &document); err != nil {
			t.Fatal(err)
		}
		if text, err = json.Marshal(document); err != nil {
			t.Fatal(err)
		}
		all.holds(t, flowSchema, flow, text)
	}
	journeys, err := source.ReadFile(filepath.Join(third, "kafka.otlp.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range journey.NewSet(journeys.Spans).Journeys() {
		s := summary.Of(j, "")
		all.holds(t, summarySchema, "a summary", s.JSON())
	}
	for name := range all.compiled {
		if !all.used[name] {
			t.Errorf("no document was checked with %s", name)
		}
	}
}

// TestSchemasArePrinted has each schema as its file is, and a list of all.
func TestSchemasArePrinted(t *testing.T) {
	names, err := schemaNames()
	if err != nil {
		t.Fatal(err)
	}
	list := output(t, "schema")
	for _, name := range names {
		var schema struct {
			Dialect string `json:"$schema"`
			Title   string
		}
		if err := json.Unmarshal([]byte(output(t, "schema", name)), &schema); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.HasSuffix(schema.Dialect, "/2020-12/schema") || schema.Title == "" || !strings.Contains(list, schema.Title) {
			t.Errorf("%s: dialect %q, title %q, which should be in\n%s", name, schema.Dialect, schema.Title, list)
		}
	}
	if !slices.Contains(names, flowSchema) || output(t, "schema", flowSchema) != string(flows.Schema()) {
		t.Error("no schema of a flow's file")
	}
	var talk bytes.Buffer
	if status := run(t.Context(), []string{"schema", "compair"}, nil, &talk, &talk); status != exitUsage || !strings.Contains(talk.String(), `did you mean "compare"?`) {
		t.Errorf("exit status %d: %s", status, talk.String())
	}
}
