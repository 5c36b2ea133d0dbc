package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// completed returns what may stand in the place of the last word, without what it means.
func completed(t *testing.T, words ...string) []string {
	t.Helper()
	var out, talk bytes.Buffer
	if status := run(t.Context(), append([]string{"__complete", "--"}, words...), nil, &out, &talk); status != exitDone {
		t.Fatalf("%q: exit status %d: %s", words, status, talk.String())
	}
	var list []string
	for line := range strings.Lines(out.String()) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		list = append(list, word)
	}
	return list
}

func TestComplete(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"commands", "co", "compare completion"},
		{"commands below one", "flow ", "list show check from"},
		{"a command that is whole", "redrive", "redrive"},
		{"flags", "run --po", "--polls"},
		{"flags of all commands", "journey --log", "--log-level"},
		{"flags of the program", "--v", "--version"},
		{"an enumeration", "compare --format ju", "junit"},
		{"an enumeration behind =", "compare --format=ju", ":lead=--format= --format=junit"},
		{"an enumeration that bash has broken up", "compare --format = ju", ":lead=--format= --format=junit"},
		{"nothing typed behind =", "flow show order --format=", ":lead=--format= --format=text --format=html"},
		{"a form", "journey runs/latest --form hy", "hybrid"},
		{"a form of the flow that is named", "run --flow activity --base ba", "batch"},
		{"forms in a list", "run --forms rest,hy", "rest,hybrid"},
		{"forms but those of the list", "run --forms kafka,rabbitmq,chained,ka", ""},
		{"all forms", "run --forms al", "all"},
		{"a flow, or a file", "run --flow ri", "ride :files"},
		{"a relation", "run --relation ko", "kotel"},
		{"a service of a fault", "run --fault pay", "payment:"},
		{"a kind of a fault", "run --fault payment:del", ":lead=payment: payment:delay="},
		{"a kind of a fault that bash has broken up", "run --fault payment : del", ":lead=payment: payment:delay="},
		{"files", "compare runs/", ":files"},
		{"a file behind a flag", "compare a.json --save ", ":files"},
		{"a folder", "run --out r", ":folders"},
		{"a form or an input", "predict a --like gr", "grpc :files"},
		{"services", "serve payment shi", "shipping"},
		{"claims", "claims hybrid", "hybrid-checkout"},
		{"rules", "lint --explain M01", "M01"},
		{"schemas", "schema lint", "lint-rules lint"},
		{"parts", "doctor --wait --only graf", "grafana"},
		{"shells", "completion ", "bash zsh fish"},
		{"commands of help", "help fl", "flow"},
		{"commands below one, of help", "help flow sh", "show"},
		{"no values where none are known", "run --rate ", ""},
		{"a flag without a value has none", "run --polls --po", "--polls"},
		{"an unknown flag", "run --nonsense x", ""},
		{"behind --", "journey -- --f", ":files"},
		{"too many arguments", "flow show order x", ""},
		{"not itself", "__", ""},
	} {
		if got := strings.Join(completed(t, strings.Split(c.line, " ")...), " "); got != c.want {
			t.Errorf("%s: %q gives %q, want %q", c.name, c.line, got, c.want)
		}
	}
	if got := completed(t); !slices.Contains(got, "run") || slices.Contains(got, "__complete") {
		t.Errorf("without a word: %q", got)
	}
}

// TestEveryFlagIsCompleted has each flag of each command, and for each enumeration its values.
func TestEveryFlagIsCompleted(t *testing.T) {
	parser, err := (&streams{}).parser(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	listed := func(line string) (words []string) {
		for _, w := range complete(parser.Model, strings.Split(line, " ")).words {
			words = append(words, w.word)
		}
		return words
	}
	n := 0
	for _, command := range parser.Model.Leaves(true) {
		for _, flag := range command.Flags {
			n++
			line := pathOf(command) + " --" + flag.Name
			if got := listed(line); !slices.Contains(got, "--"+flag.Name) {
				t.Errorf("%s: %q", line, got)
			}
			if got := listed(line + " "); flag.Enum != "" && !slices.Equal(got, flag.EnumSlice()) {
				t.Errorf("%s: the values %q, want %q", line, got, flag.EnumSlice())
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d flags were found", n)
	}
}
