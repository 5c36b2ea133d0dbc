package main

import (
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"tracelab/doctor"
	"tracelab/experiments"
	"tracelab/journey/lint"
	"tracelab/services"
	"tracelab/services/flows"
)

// helpTarget is the type of the command help, whose arguments are commands.
func helpTarget() reflect.Type { return reflect.TypeFor[helpCommand]() }

// valuesOf lists the values of a flag or an argument: its enumeration, names that the program knows, or files.
func valuesOf(at cursor, v *kong.Value, typed string) completions {
	if v.Enum != "" {
		return completions{words: plainWords(v.EnumSlice()...)}
	}
	if words, ok := at.known(v, typed); ok {
		return completions{words: words, names: namesOf(v)}
	}
	return completions{names: namesOf(v)}
}

// namesOf tells by a value's placeholder whether it is the name of a file or a folder.
func namesOf(v *kong.Value) string {
	shown := v.Tag.PlaceHolder
	switch {
	case strings.Contains(shown, "FILE") || strings.Contains(shown, "INPUT") || v.Flag == nil && v.Name == "input":
		return fileNames
	case strings.Contains(shown, "DIR"):
		return folderNames
	}
	return ""
}

// known lists the names that the program knows for a value; false when it knows none.
func (p *cursor) known(v *kong.Value, typed string) ([]word, bool) {
	switch {
	case v.Name == "flow" || p.command.Name == "check":
		return flowWords(), true
	case v.Name == "forms":
		return inList(typed, append(p.forms(), word{"all", "all forms of the flow"}, word{"corners", "early answer and broker apart"})), true
	case v.Name == "form" || v.Name == "base" || namesForm(v):
		return p.forms(), true
	case v.Name == "relation" && (p.command.Name == "up" || p.command.Name == "hops"):
		return plainWords("both", "parent", "link"), true
	case v.Name == "relation":
		return plainWords("both", "parent", "link", "kotel"), true
	case v.Name == "services":
		return append(plainWords(p.services()...), word{"all", "all of the flow"}), true
	case v.Name == "fault":
		return p.faults(typed), true
	case v.Name == "only":
		return plainWords(doctor.Parts()...), true
	case v.Name == "log-level":
		return plainWords("debug", "info", "warn", "error"), true
	case v.Name == "explain" || v.Name == "ignore":
		return ruleWords(), true
	case p.command.Name == "claims" && v.Flag == nil:
		return claimWords(), true
	case p.command.Name == "schema" && v.Flag == nil:
		return schemaWords(), true
	}
	return nil, false
}

// namesForm tells whether a form of a run may stand there.
func namesForm(v *kong.Value) bool {
	return v.Flag != nil && strings.HasPrefix(v.Tag.PlaceHolder, "FORM")
}

// inList puts before each word what stands before the last comma, and leaves out what is in the list.
func inList(typed string, words []word) []word {
	i := strings.LastIndex(typed, ",") + 1
	there := strings.Split(typed[:i], ",")
	return withPrefix(typed[:i], slices.DeleteFunc(words, func(w word) bool { return slices.Contains(there, w.word) }))
}

// ofFlow is the flow that the line names, or the usual one.
func (p *cursor) ofFlow() *flows.Flow {
	if p.flow != "" {
		if f, err := flows.Load(p.flow); err == nil {
			return f
		}
	}
	return flows.Order()
}

func (p *cursor) forms() []word { return plainWords(formNames(p.ofFlow().Forms())...) }

func (p *cursor) services() []string { return p.ofFlow().Services() }

// faults lists services, and behind one the kinds of faults.
func (p *cursor) faults(typed string) []word {
	service, _, named := strings.Cut(typed, ":")
	if !named {
		var words []word
		for _, name := range p.services() {
			words = append(words, word{name + ":", "a fault of " + name})
		}
		return words
	}
	var words []word
	for _, usage := range services.FaultKinds() {
		kind, what, _ := strings.Cut(usage, ": ")
		if name, _, optional := strings.Cut(kind, "["); optional {
			kind = name
		}
		if name, _, valued := strings.Cut(kind, "="); valued {
			kind = name + "="
		}
		words = append(words, word{kind, what})
	}
	return withPrefix(service+":", words)
}

func flowWords() []word {
	var words []word
	for _, b := range flows.Builtins() {
		words = append(words, word{strings.TrimSuffix(b.Name, "N"), firstSentence(b.What)})
	}
	return words
}

func claimWords() []word {
	words := []word{{"all", "every claim"}}
	for _, c := range experiments.All() {
		words = append(words, word{c.Name, firstSentence(c.Statement)})
	}
	return words
}

func ruleWords() []word {
	var words []word
	for _, r := range lint.Rules() {
		words = append(words, word{string(r.ID), firstSentence(r.Finds)})
	}
	return words
}

func schemaWords() []word {
	names, err := schemaNames()
	if err != nil {
		return nil // a test reads them all
	}
	var words []word
	for _, name := range names {
		if title, err := schemaTitle(name, names); err == nil {
			words = append(words, word{name, firstSentence(title)})
		}
	}
	return words
}
