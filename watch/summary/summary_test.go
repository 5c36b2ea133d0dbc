package summary_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/lint"
	"tracelab/journey/source"
	"tracelab/watch/summary"
)

// cases are traces of many instrumentations.
func cases(t testing.TB) map[string][]journey.Span {
	t.Helper()
	files, err := filepath.Glob(filepath.FromSlash("../../journey/testdata/cases/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	all := map[string][]journey.Span{}
	for _, file := range files {
		result, err := source.ReadFile(file)
		if err != nil {
			continue // some are refused, as they should be
		}
		all[filepath.Base(file)] = result.Spans
	}
	return all
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(summary.JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("urn:test", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("urn:test")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestTheLineIsThatOfTheSpans has one line for each journey in any order of its spans, with duplicates, which is as its schema
// says and reads back as it was written.
func TestTheLineIsThatOfTheSpans(t *testing.T) {
	schema := compiled(t)
	random := rand.New(rand.NewPCG(1, 2))
	read := 0
	for name, spans := range cases(t) {
		want := lines(spans)
		for range 4 {
			mixed := append(slices.Clone(spans), spans[:len(spans)/2]...)
			random.Shuffle(len(mixed), func(i, k int) { mixed[i], mixed[k] = mixed[k], mixed[i] })
			if got := lines(mixed); !slices.EqualFunc(got, want, sameButDuplicates) {
				t.Errorf("%s: in another order\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		for _, line := range want {
			read++
			document, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(document); err != nil {
				t.Errorf("%s: %v: %s", name, err, line)
			}
			s, err := summary.Parse([]byte(line))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if again := string(s.JSON()); again != line || strings.Contains(line, "\n") {
				t.Errorf("%s: reads back as\n%s\nwant\n%s", name, again, line)
			}
		}
	}
	if read < 30 {
		t.Errorf("%d journeys in all cases, want 30 or more", read)
	}
}

func lines(spans []journey.Span) []string {
	var list []string
	for _, j := range journey.NewSet(slices.Clone(spans)).Journeys() {
		s := summary.Of(j, "")
		list = append(list, string(s.JSON()))
	}
	return list
}

// sameButDuplicates compares lines without what they say of exact duplicates, which is said of those that there are.
func sameButDuplicates(a, b string) bool { return without(a) == without(b) }

func without(line string) string {
	s, err := summary.Parse([]byte(line))
	if err != nil {
		return err.Error()
	}
	delete(s.Lint, journey.RuleDuplicate)
	s.Warnings = slices.DeleteFunc(s.Warnings, func(w summary.Warning) bool { return w.Rule == journey.RuleDuplicate })
	return string(s.JSON())
}

// TestTheFiguresAreThoseOfCompare has the measures, the structure and the findings as compare and lint give them.
func TestTheFiguresAreThoseOfCompare(t *testing.T) {
	for name, spans := range cases(t) {
		for _, j := range journey.NewSet(spans).Journeys() {
			s := summary.Of(j, "")
			got := map[string]*time.Duration{compare.CallerWait: s.CallerWait, compare.Completion: s.Completion, compare.Tail: s.Tail, compare.QueueWait: s.QueueWait}
			for _, m := range compare.Measures() {
				v, ok := m.Of(j)
				if d := got[m.Name]; ok != (d != nil) || ok && (float64(*d)-v*1e6 > 1 || float64(*d)-v*1e6 < -1) {
					t.Errorf("%s: %s is %v, want %v ms (%t)", name, m.Name, d, v, ok)
				}
			}
			path := time.Duration(0)
			for _, x := range s.Steps {
				path += x.Work + x.Wait
			}
			if path != j.Completion() {
				t.Errorf("%s: the steps add up to %v of %v", name, path, j.Completion())
			}
			if described := compare.Describe(compare.Group{Journeys: []*journey.Journey{j}}, compare.WithIncomplete()).Structures[0]; s.Structure.Signature != described.Signature || s.Structure.Nodes != described.Nodes {
				t.Errorf("%s: structure %+v, want %s of %d nodes", name, s.Structure, described.Signature, described.Nodes)
			}
			deliveries := 0
			for _, q := range s.Queues {
				deliveries += q.Deliveries
			}
			if deliveries != s.Deliveries || deliveries != len(j.Messages()) {
				t.Errorf("%s: %d deliveries in queues, %d in all, want %d", name, deliveries, s.Deliveries, len(j.Messages()))
			}
		}
	}
}

// TestFindingsAreOfTheJourneyOnly leaves out what is found about the stub of a cause that the journey does not have.
func TestFindingsAreOfTheJourneyOnly(t *testing.T) {
	spans := drawn(1)
	stub := span(9, 99, 0, "elsewhere", "orders send", journey.KindProducer, 0, time.Millisecond)
	spans[2].Links = append(spans[2].Links, journey.Link{Ref: stub.Ref()})
	set := journey.NewSet(append(spans, stub))
	j, ok := set.JourneyFrom(index(t, set, spans[0].Ref()))
	if !ok {
		t.Fatal("no journey")
	}
	s := summary.Of(j, "")
	found := 0
	for _, f := range lint.Check(set).Findings {
		if f.Trace == stub.Trace {
			found++
		}
	}
	all := 0
	for _, n := range s.Lint {
		all += n
	}
	if total := len(lint.Check(set).Findings); found == 0 || all != total-found {
		t.Errorf("%d findings, want %d, those of the stub (%d) left out", all, total-found, found)
	}
	if s.Spans != 3 {
		t.Errorf("%d spans, want 3", s.Spans)
	}
}

func index(t *testing.T, set *journey.Set, ref journey.Ref) journey.Index {
	t.Helper()
	i, ok := set.Find(ref)
	if !ok {
		t.Fatalf("no span %v", ref)
	}
	return i
}

// TestSchemaIsTheFile keeps the file that is read in a repository and the one that the program prints the same.
func TestSchemaIsTheFile(t *testing.T) {
	text, err := os.ReadFile("summary.schema.json")
	if err != nil || string(text) != string(summary.JSONSchema()) {
		t.Errorf("the schema is not that of the file: %v", err)
	}
}
