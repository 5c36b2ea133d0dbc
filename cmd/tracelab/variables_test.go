package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"tracelab/internal/testkit"
)

// leaves returns the commands that can be run.
func leaves(t *testing.T) []*kong.Node {
	t.Helper()
	parser, err := (&streams{}).parser(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Leaves(true)
}

// TestTextsAreFilledIn: no text of a flag or argument names a variable that nothing fills in, and each flag knows its variables.
func TestTextsAreFilledIn(t *testing.T) {
	known := 0
	for _, command := range leaves(t) {
		values := slices.Clone(command.Positional)
		for _, flag := range command.Flags {
			values = append(values, flag.Value)
			if !slices.Equal(flag.Envs, flag.Tag.Envs) {
				t.Errorf("%s --%s is set by %q, and its help names %q", command.Path(), flag.Name, flag.Tag.Envs, flag.Envs)
			}
			if strings.Contains(flag.PlaceHolder+strings.Join(flag.Envs, ""), "${") {
				t.Errorf("%s --%s: %q, %q", command.Path(), flag.Name, flag.PlaceHolder, flag.Envs)
			}
			known += len(flag.Envs)
		}
		for _, value := range values {
			if strings.Contains(value.Help+value.Default+value.Enum, "${") {
				t.Errorf("%s, %s: %q, by default %q, of %q", command.Path(), value.Name, value.Help, value.Default, value.Enum)
			}
		}
	}
	if known < 100 {
		t.Errorf("only %d variables", known)
	}
}

// One variable stands for flags of one kind in all commands. Formats are the exception: each command has its own.
func TestAVariableMeansTheSameInAllCommands(t *testing.T) {
	meanings := map[string]map[string]bool{} // by variable
	for _, command := range leaves(t) {
		for _, flag := range command.Flags {
			for _, variable := range flag.Envs {
				if flag.Name == "format" {
					continue
				}
				if meanings[variable] == nil {
					meanings[variable] = map[string]bool{}
				}
				meanings[variable][fmt.Sprintf("%v %s", flag.Enum, flag.PlaceHolder)] = true
			}
		}
	}
	if len(meanings) < 30 {
		t.Fatalf("only %d variables were found", len(meanings))
	}
	for variable, of := range meanings {
		if len(of) > 1 {
			t.Errorf("%s stands for flags of different kinds: %q", variable, slices.Sorted(maps.Keys(of)))
		}
	}
}

// A format that another command has is no reason to fail when the variable names it: the command says so and prints text.
func TestAFormatOfAnotherCommand(t *testing.T) {
	testkit.Unraced(t, "TestComplete")
	traces := filepath.Join("..", "..", "journey", "testdata", "cases", "d11-long-stream-in-a-request.json")
	arguments := map[string]string{ // some end early: the format is read before
		"run": "--orders 0", "compare": traces + " " + traces, "journey": traces, "predict": traces, "lint": traces, "hops": "--form nonsense", "doctor": "--wait --only nonsense", "flow show": "order", "flow list": "", "flow check": "order", "claims": "", "runs list": "--out ../../journey/testdata",
	}
	own := map[string][]string{}
	var all []string
	for _, command := range leaves(t) {
		for _, flag := range command.Flags {
			if flag.Name == "format" {
				own[strings.TrimPrefix(command.Path(), "tracelab ")] = flag.EnumSlice()
				all = append(all, flag.EnumSlice()...)
			}
		}
	}
	if a, b := slices.Sorted(maps.Keys(own)), slices.Sorted(maps.Keys(arguments)); !slices.Equal(a, b) {
		t.Fatalf("commands with a format are %q, this test knows %q", a, b)
	}
	slices.Sort(all)
	for _, format := range append(slices.Compact(all), "nonsense") {
		for command, formats := range own {
			t.Run(command+" "+format, func(t *testing.T) {
				args := strings.Fields(command + " " + arguments[command])
				has := slices.Contains(formats, format)
				t.Setenv("TRACELAB_FORMAT", format)
				_, talk := tryFormat(t, args)
				if strings.Contains(talk, "it prints text") == has || strings.Contains(talk, "must be one of") {
					t.Errorf("the variable: it has %q, and says %q", formats, talk)
				}
				t.Setenv("TRACELAB_FORMAT", "html")
				status, talk := tryFormat(t, append(args, "--format", format))
				if refused := strings.Contains(talk, "--format") && strings.Contains(talk, "must be one of"); refused == has || refused && status != exitUsage {
					t.Errorf("the flag: it has %q, exit status %d, and says %q", formats, status, talk)
				}
			})
		}
	}
}

func tryFormat(t *testing.T, args []string) (status int, talk string) {
	t.Helper()
	var out, errOut strings.Builder
	status = run(t.Context(), args, nil, &out, &errOut)
	return status, errOut.String()
}
