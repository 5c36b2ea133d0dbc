package flows

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"tracelab/internal/vocabulary"
)

//go:embed *.yaml
var files embed.FS

// Builtin is a flow that the program has, or a generator of flows.
type Builtin struct {
	Name string // as it is asked for: order, chain:N
	What string
}

// builtins lists the files.
func builtins() []string { return []string{"order", "ride", "reaction", "profile", "activity"} }

// Builtins lists what Named knows.
func Builtins() []Builtin {
	list := []Builtin{}
	for _, name := range builtins() {
		if f, err := Named(name); err == nil { // a test reads them all
			list = append(list, Builtin{name, f.What})
		}
	}
	return append(list,
		Builtin{"chain:N", fmt.Sprintf("N services one behind the other, 1 to %d: what each hop more costs.", mostGenerated)},
		Builtin{"fan-out:N", fmt.Sprintf("N services side by side behind the entry, 1 to %d: what each branch more costs.", mostGenerated)})
}

// Order is the main flow.
func Order() *Flow { return order() }

// order is read once: every unit's defaults ask for it.
var order = sync.OnceValue(func() *Flow {
	f, _ := Named("order") // it is in the program, and a test reads it
	return f
})

// Source is the YAML of a built-in flow, or of one that a generator makes.
func Source(name string) ([]byte, error) {
	kind, number, generated := strings.Cut(name, ":")
	if !generated {
		text, err := files.ReadFile(name + ".yaml")
		if err != nil {
			return nil, &vocabulary.UnknownError{What: "flow", Word: name, Known: append(builtins(), "chain:N", "fan-out:N", "or a file that ends in .yaml")}
		}
		return text, nil
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > mostGenerated {
		return nil, fmt.Errorf("flow %s: %q: use 1 to %d, such as %s:4", name, number, mostGenerated, kind)
	}
	switch kind {
	case "chain":
		return chain(n), nil
	case "fan-out":
		return fanOut(n), nil
	}
	return nil, &vocabulary.UnknownError{What: "generator of flows", Word: kind, Known: []string{"chain", "fan-out"}}
}

// Named reads a built-in flow.
func Named(name string) (*Flow, error) {
	text, err := Source(name)
	if err != nil {
		return nil, err
	}
	return Parse(strings.ReplaceAll(name, ":", "-")+".yaml", text)
}

// Load reads a flow by its name, or from a file, which has a / or ends in .yaml or .yml.
func Load(nameOrFile string) (*Flow, error) {
	if IsFile(nameOrFile) {
		return ReadFile(nameOrFile)
	}
	return Named(nameOrFile)
}

// IsFile tells whether a flow is asked for by its file.
func IsFile(nameOrFile string) bool {
	return strings.ContainsAny(nameOrFile, `/\`) || strings.HasSuffix(nameOrFile, ".yaml") || strings.HasSuffix(nameOrFile, ".yml")
}
